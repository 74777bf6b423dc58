#include "rtctl/publish_sink.h"

#include <utility>

#include "proto/json_compact.h"

namespace rt::rtctl {

PublishHints server_hints(std::string not_found) {
  return {"start a server with \"rtctl serve\", or name one with --url", std::move(not_found)};
}

Result<void> append_json_data(std::string& out, std::string_view data) {
  if (append_compact_json(out, data)) return {};
  return fail(Code::usage, "the data is not JSON",
              "quote it for the shell: '{\"n\":1}' or '\"text\"'");
}

}  // namespace rt::rtctl
