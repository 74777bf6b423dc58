#include "rtctl/serve_page.h"

#include "server/page_endpoint.h"

namespace rt::rtctl {

void declare_page(CLI::App* verb, PageFlags& flags) {
  const std::string group = "Page";
  verb->add_flag("--ui", flags.shown, "Show a page at /: what happens, follow, publish")
      ->group(group);
  verb->add_flag("--ui-anywhere", flags.anywhere,
                 "The page also to other machines, if --listen lets them in")
      ->group(group);
}

Result<void> check_page(const PageFlags& flags, const server::ServerOptions& options) {
  if (!flags.shown) return {};
  if (options.health_listen) {
    return fail(Code::usage, "the page of --ui asks for health on its own port",
                "leave --health-listen out, or --ui");
  }
  return server::check_page_address(options.listen, flags.anywhere);
}

server::SurfaceParts serve_page(const std::string& topics_path) {
  server::SurfaceParts parts;
  parts.surface = server::Surface::general;
  parts.endpoint = server::page_endpoint({.topics_path = topics_path});
  return parts;
}

}  // namespace rt::rtctl
