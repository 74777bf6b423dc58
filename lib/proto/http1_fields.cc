#include "proto/http1_fields.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional.hpp>

namespace rt::http1 {
namespace {

namespace beast = boost::beast;
using beast::error_code;

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

// Beast calls back for each part; bodies never come here, because only heads are put in.
template <bool is_request>
class HeadReader final : public beast::http::basic_parser<is_request> {
 public:
  HeadReader(StartLine& line, Headers& headers) : line_(line), headers_(headers) {
    this->header_limit(0xFFFFFFFF);  // the collector has bounded it
    this->body_limit(boost::none);
  }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code& error) override {
    line_.method = view_of(method);
    line_.target = view_of(target);
    line_.version = version;
    error = {};
  }
  void on_response_impl(int status, beast::string_view reason, int version,
                        error_code& error) override {
    line_.status = status;
    line_.reason = view_of(reason);
    line_.version = version;
    error = {};
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    error = {};
    if (headers_.lines().size() >= kHeadersMax) {
      error = beast::http::error::header_limit;
      return;
    }
    headers_.add(view_of(name), view_of(value));
  }
  void on_header_impl(error_code& error) override { error = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override {
    error = {};
  }
  std::size_t on_body_impl(beast::string_view, error_code& error) override {
    error = {};
    return 0;
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code& error) override {
    error = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code& error) override {
    error = {};
    return 0;
  }
  void on_finish_impl(error_code& error) override { error = {}; }

  StartLine& line_;
  Headers& headers_;
};

HeadFault fault_of(const error_code& code) {
  using Fault = beast::http::error;
  if (code == Fault::bad_method) return HeadFault::method;
  if (code == Fault::bad_target) return HeadFault::target;
  if (code == Fault::bad_version) return HeadFault::version;
  if (code == Fault::bad_status || code == Fault::bad_reason) return HeadFault::status;
  if (code == Fault::bad_field || code == Fault::bad_value) return HeadFault::field;
  if (code == Fault::bad_content_length || code == Fault::multiple_content_length) {
    return HeadFault::content_length;
  }
  if (code == Fault::bad_transfer_encoding) return HeadFault::transfer_encoding;
  if (code == Fault::header_limit) return HeadFault::too_many_headers;
  return HeadFault::malformed;
}

template <bool is_request>
HeadFault parse_lines(std::string_view head, StartLine& line, Headers& headers) {
  line = {};
  headers.clear();
  HeadReader<is_request> reader(line, headers);
  error_code error;
  reader.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error) return fault_of(error);
  if (!reader.is_header_done()) return HeadFault::malformed;
  line.keep_alive = reader.keep_alive();
  line.chunked = reader.chunked();
  if (const auto length = reader.content_length(); length && headers.find("content-length")) {
    line.content_length = *length;
  }
  return HeadFault::none;
}

}  // namespace

const char* fault_text(HeadFault fault) {
  switch (fault) {
    case HeadFault::none:
      return "no fault";
    case HeadFault::method:
      return "the method is malformed";
    case HeadFault::target:
      return "the target is malformed";
    case HeadFault::version:
      return "the protocol version is not HTTP/1.0 or HTTP/1.1";
    case HeadFault::status:
      return "the status line is malformed";
    case HeadFault::field:
      return "a header line is malformed";
    case HeadFault::content_length:
      return "Content-Length is malformed or contradicts itself";
    case HeadFault::transfer_encoding:
      return "Transfer-Encoding is repeated or contradicts Content-Length";
    case HeadFault::too_many_headers:
      return "there are more than 100 header lines";
    case HeadFault::malformed:
      return "it is not an HTTP/1 head";
  }
  return "";
}

HeadFault parse_request_lines(std::string_view head, StartLine& line, Headers& headers) {
  return parse_lines<true>(head, line, headers);
}

HeadFault parse_response_lines(std::string_view head, StartLine& line, Headers& headers) {
  return parse_lines<false>(head, line, headers);
}

}  // namespace rt::http1
