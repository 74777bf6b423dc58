#include "rtctl/serve_tls.h"

#include <fmt/format.h>
#include <poll.h>

#include <csignal>
#include <utility>

#include "base/log.h"
#include "io/signals.h"

namespace rt::rtctl {

void declare_tls(CLI::App* verb, TlsFlags& flags) {
  const std::string group = "TLS";
  CLI::Option* const certificates =
      verb->add_option("--tls-cert", flags.certificates,
                       "Serve TLS with this certificate and its chain (PEM); SIGHUP loads it anew")
          ->type_name("FILE")
          ->group(group);
  CLI::Option* const key =
      verb->add_option("--tls-key", flags.key, "Its key (PEM)")->type_name("FILE")->group(group);
  certificates->needs(key);
  key->needs(certificates);
}

Result<std::shared_ptr<const io::TlsContext>> load_tls(const TlsFlags& flags) {
  if (!flags.enabled()) return nullptr;
  auto context = RT_TRY(io::TlsContext::load({flags.certificates, flags.key}));
  log::info("certificate", fmt::format("{} {}", log::field("subject", context->subject()),
                                       log::field("expires", context->expires())));
  return context;
}

Result<ServeSignals> ServeSignals::create(const TlsFlags& flags) {
  return ServeSignals(RT_TRY(io::signal_descriptor({SIGINT, SIGTERM, SIGHUP})), flags);
}

bool ServeSignals::wait(int timeout_ms, server::Server& server) {
  pollfd poll_fd{fd_.get(), POLLIN, 0};
  ::poll(&poll_fd, 1, timeout_ms);
  const int signal = io::take_signal(fd_);
  if (signal != SIGHUP) return signal != 0;
  log::reopen();
  server.reopen_access_log();
  if (!flags_.enabled()) return false;
  auto context = load_tls(flags_);
  if (context) {
    server.set_tls(std::move(*context));
  } else {
    log::error("the certificate is not loaded; the one before stays",
               log::field("reason", context.error().text));
  }
  return false;
}

}  // namespace rt::rtctl
