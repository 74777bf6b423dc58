#include "server/page_endpoint.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/text.h"
#include "server/page_html.h"
#include "server/refusals.h"

namespace rt::server {
namespace {

// What stands between the tags, the first time; the page has one of each.
std::string_view content_of(std::string_view html, std::string_view tag) {
  const std::string open = fmt::format("<{}>", tag);
  const std::string close = fmt::format("</{}>", tag);
  const std::size_t begin = html.find(open);
  const std::size_t end = html.find(close, begin);
  RT_CHECK(begin != std::string_view::npos && end != std::string_view::npos);
  return html.substr(begin + open.size(), end - begin - open.size());
}

// A source expression of Content Security Policy Level 3, section 2.3.1.
std::string hash_source(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  RT_CHECK(
      EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  std::string source = "'sha256-";
  append_base64(source, {reinterpret_cast<const char*>(digest.data()), size});
  return source + "'";
}

std::string policy_headers(std::string_view html) {
  return fmt::format(
      "Content-Security-Policy: default-src 'none'; script-src {}; style-src {}; connect-src "
      "'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
      "require-trusted-types-for 'script'; trusted-types 'none'\r\n"
      "Referrer-Policy: no-referrer\r\n",
      hash_source(content_of(html, "script")), hash_source(content_of(html, "style")));
}

std::string page_for(const PageOptions& options) {
  constexpr std::string_view kPath = "name=\"topics-path\" content=\"/topics\"";
  std::string html(kPageHtml);
  const std::size_t at = html.find(kPath);
  RT_CHECK(at != std::string::npos);
  std::string path;
  append_markup_text(path, options.topics_path);
  html.replace(at, kPath.size(), fmt::format("name=\"topics-path\" content=\"{}\"", path));
  return html;
}

class PageEndpoint final : public Endpoint {
 public:
  explicit PageEndpoint(const PageOptions& options) {
    page_.body = page_for(options);
    page_.content_type = "text/html; charset=utf-8";
    page_.headers = policy_headers(page_.body);
  }

  Outcome on_request(const http1::RequestHead& head) const override {
    if (head.path != "/") return NotMine{};
    if (auto refusal = refuse_unless_read(head)) return std::move(*refusal);
    return page_;
  }

 private:
  Answer page_;
};

}  // namespace

std::shared_ptr<const Endpoint> page_endpoint(const PageOptions& options) {
  return std::make_shared<PageEndpoint>(options);
}

Result<void> check_page_address(const io::Address& listen, bool anywhere) {
  if (anywhere || listen.is_loopback()) return {};
  return fail(Code::usage,
              fmt::format("--ui would show the page to everyone who reaches {}", listen.text()),
              "listen on 127.0.0.1, or say --ui-anywhere if that is meant");
}

}  // namespace rt::server
