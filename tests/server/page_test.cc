// The page at / as it is handed out. What it does in a browser is in tests/browser.
#include <catch2/catch.hpp>

#include "proto/http1_request.h"
#include "server/page_endpoint.h"
#include "server/page_html.h"

using namespace rt;
using namespace rt::server;

namespace {

Outcome ask(std::string_view method, const std::string& path, const PageOptions& options = {}) {
  http1::RequestHead head;
  head.method = method;
  head.path = path;
  return page_endpoint(options)->on_request(head);
}

Answer page(const PageOptions& options = {}) {
  return std::get<Answer>(ask("GET", "/", options));
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("page: GET and HEAD of / alone", "[page]") {
  CHECK(page().status == 200);
  CHECK(page().content_type == "text/html; charset=utf-8");
  CHECK(std::get<Answer>(ask("HEAD", "/")).status == 200);
  CHECK(std::get<Answer>(ask("POST", "/")).status == 405);
  CHECK(std::holds_alternative<NotMine>(ask("GET", "/index.html")));
  CHECK(std::holds_alternative<NotMine>(ask("GET", "/health")));
}

TEST_CASE("page: its policy lets only its own script and style run, and nobody frame it",
          "[page]") {
  const std::string headers = page().headers;
  CHECK(has(headers, "default-src 'none'"));
  CHECK(has(headers, "script-src 'sha256-"));
  CHECK(has(headers, "style-src 'sha256-"));
  CHECK(has(headers, "connect-src 'self'"));
  CHECK(has(headers, "frame-ancestors 'none'"));
  CHECK(has(headers, "base-uri 'none'"));
  CHECK_FALSE(has(headers, "unsafe"));
  CHECK_FALSE(has(headers, "*"));
}

TEST_CASE("page: the path of topics changes nothing that the policy's hashes stand for", "[page]") {
  PageOptions elsewhere;
  elsewhere.topics_path = "/other";
  CHECK(page().headers == page(elsewhere).headers);
  CHECK(page().body != page(elsewhere).body);
}

TEST_CASE("page: it refers to nothing elsewhere and makes no markup of data", "[page]") {
  for (const char* banned :
       {"src=", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
        "eval(", "Function(", " style=", " onclick=", "javascript:", "//cdn"}) {
    CAPTURE(banned);
    CHECK_FALSE(has(kPageHtml, banned));
  }
}

TEST_CASE("page: the path of topics is written so that it stays an attribute", "[page]") {
  PageOptions options;
  options.topics_path = "/a\"><script>&";
  CHECK(
      has(page(options).body, "name=\"topics-path\" content=\"/a&quot;&gt;&lt;script&gt;&amp;\""));
}

TEST_CASE("page: beyond this machine it must be asked for", "[page]") {
  const auto address = [](const char* text) { return *io::parse_address(text); };
  CHECK(check_page_address(address("127.0.0.1:80"), false));
  CHECK(check_page_address(address("[::1]:80"), false));
  CHECK(check_page_address(address("0.0.0.0:80"), true));
  const auto refused = check_page_address(address("0.0.0.0:80"), false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::usage);
  CHECK(has(refused.error().text, "0.0.0.0:80"));
  CHECK(has(refused.error().hint, "--ui-anywhere"));
}
