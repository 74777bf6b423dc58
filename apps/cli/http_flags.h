// The flags of every verb that speaks HTTP, and how they become HttpOptions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/http_options.h"

namespace rt::cli {

// Declared on a verb; must outlive the parse.
class HttpFlags {
 public:
  void declare(CLI::App* verb);
  // Reads header files ("@FILE", one header a line). Fails with Code::usage.
  Result<HttpOptions> options() const;

 private:
  std::vector<std::string> headers_;
  std::string token_;
  HttpOptions direct_;
  bool compressed_ = false;
  bool http1_ = false;
  bool http2_ = false;
  std::string connect_timeout_ = "10s";
};

}  // namespace rt::cli
