#include "cli/http_flags.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"

namespace rt::cli {
namespace {

Result<void> add_header(std::vector<std::string>& headers, const std::string& line,
                        const std::string& place) {
  const std::size_t end = line.find_first_of(":;");
  if (end == std::string::npos || end == 0) {
    return fail(Code::usage, fmt::format("header {} has no \"Name: value\" form", place),
                "for example -H 'X-Tenant: 7', or -H @FILE with one header a line");
  }
  headers.push_back(line);
  return {};
}

Result<void> add_header_file(std::vector<std::string>& headers, const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(os_error("cannot read header file " + path, errno, Code::usage));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string header(trim(line));
    if (header.empty() || header.front() == '#') continue;
    RT_CHECKED(add_header(headers, header, fmt::format("in {} line {}", path, number)));
  }
  return {};
}

}  // namespace

void HttpFlags::declare(CLI::App* verb) {
  const std::string group = "HTTP";
  verb->add_option("-H,--header", headers_, "Add 'Name: value', or all lines of @FILE")
      ->type_name("HEADER")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--token-file", direct_.token_file,
                   "Send the file's content as bearer token; read anew on every attempt")
      ->type_name("FILE")
      ->envname("RT_TOKEN_FILE")
      ->group(group);
  verb->add_option("--token", token_, "")->group("");
  verb->add_flag("--compressed", compressed_, "Ask for gzip, brotli, zstd")->group(group);
  verb->add_flag("--http1.1", http1_, "Use HTTP/1.1")->group(group);
  verb->add_flag("--http2", http2_, "Use HTTP/2 without asking first (h2c)")->group(group);
  verb->add_flag("--netrc", direct_.netrc, "User and password from ~/.netrc")->group(group);
  verb->add_option("--proxy", direct_.proxy, "Proxy; else HTTPS_PROXY, NO_PROXY and so on")
      ->type_name("URL")
      ->group(group);
  verb->add_option("--unix-socket", direct_.unix_socket, "Connect through a Unix socket")
      ->type_name("PATH")
      ->group(group);
  verb->add_option("--connect-to", direct_.connect_to, "HOST:PORT:HOST:PORT, as in curl")
      ->type_name("RULE")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--resolve", direct_.resolve, "HOST:PORT:ADDRESS, as in curl")
      ->type_name("RULE")
      ->allow_extra_args(false)
      ->group(group);
  verb->add_option("--cacert", direct_.ca_file, "Certificate authorities to trust (PEM)")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--cert", direct_.client_certificate, "Client certificate (PEM)")
      ->type_name("FILE")
      ->group(group);
  verb->add_option("--key", direct_.client_key, "Key of the client certificate (PEM)")
      ->type_name("FILE")
      ->group(group);
  verb->add_flag("--insecure", direct_.insecure, "Accept any certificate")->group(group);
  verb->add_option("--connect-timeout", connect_timeout_, "Limit for connecting")
      ->type_name("TIME")
      ->capture_default_str()
      ->group(group);
}

Result<HttpOptions> HttpFlags::options() const {
  if (!token_.empty()) {
    return fail(Code::usage, "--token would show the secret in the process list",
                "put it into a file and use --token-file FILE");
  }
  if (http1_ && http2_) return fail(Code::usage, "--http1.1 and --http2 exclude each other");
  HttpOptions options = direct_;
  if (http1_) options.version = HttpOptions::Version::http1;
  if (http2_) options.version = HttpOptions::Version::http2;
  if (compressed_) options.compression = "all";
  options.connect_timeout = RT_TRY(parse_duration(connect_timeout_));
  for (const std::string& header : headers_) {
    if (header.rfind('@', 0) == 0) {
      RT_CHECKED(add_header_file(options.headers, header.substr(1)));
    } else {
      RT_CHECKED(add_header(options.headers, header, "\"" + header + "\""));
    }
  }
  return options;
}

}  // namespace rt::cli
