// `rtctl serve`: its certificate, and the signals that stop it or load the certificate anew.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "io/tls.h"
#include "server/server.h"

namespace rt::rtctl {

struct TlsFlags {
  std::string certificates;
  std::string key;

  bool enabled() const { return !certificates.empty(); }
};

void declare_tls(CLI::App* verb, TlsFlags& flags);

// Null without the flags.
Result<std::shared_ptr<const io::TlsContext>> load_tls(const TlsFlags& flags);

// SIGINT, SIGTERM, and SIGHUP, which loads the certificate again and begins new log files.
// Construct before any thread.
class ServeSignals {
 public:
  static Result<ServeSignals> create(const TlsFlags& flags);
  // Waits for one, at most `timeout_ms`. True: stop.
  bool wait(int timeout_ms, server::Server& server);

 private:
  ServeSignals(Fd fd, const TlsFlags& flags) : fd_(std::move(fd)), flags_(flags) {}

  Fd fd_;
  const TlsFlags& flags_;
};

}  // namespace rt::rtctl
