#include "load/scenario_request.h"

#include <fmt/format.h>

#include "load/object_reader.h"
#include "load/request_headers.h"

namespace rt {
namespace {

// A server that allows more at once is rare, and one connection is one shard's.
constexpr std::uint64_t kMostStreams = 10'000;
// Of a request; browsers send some fifteen.
constexpr std::size_t kMostHeaders = 32;

Result<void> read_compress(const ObjectReader& in, bool& gzip) {
  const JsonNode* const list = in.find("compress");
  if (list == nullptr) return {};
  const auto wrong = [&] {
    return ObjectReader::wrong(*list, in.path("compress"), "expected [] or [\"gzip\"]");
  };
  if (list->kind != JsonNode::Kind::array) return wrong();
  for (const JsonNode& item : list->items) {
    if (item.kind != JsonNode::Kind::string || item.text != "gzip") return wrong();
    gzip = true;
  }
  return {};
}

Result<void> read_headers(const ObjectReader& in, std::vector<HeaderSpec>& out) {
  const JsonNode* const node = in.find("headers");
  if (node == nullptr) return {};
  const std::string path = in.path("headers");
  if (node->kind != JsonNode::Kind::object) {
    return ObjectReader::wrong(*node, path, "expected an object, like {\"X-Tenant\": \"blue\"}");
  }
  if (node->items.size() > kMostHeaders) {
    return ObjectReader::wrong(*node, path, fmt::format("expected up to {} headers", kMostHeaders));
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const JsonNode& value = node->items[i];
    const std::string own = path + "/" + node->keys[i];
    if (value.kind != JsonNode::Kind::string) {
      return ObjectReader::wrong(value, own,
                                 fmt::format("expected a text, found {}", describe(value)));
    }
    if (const std::string why = why_no_header(node->keys[i], value.text); !why.empty()) {
      return ObjectReader::wrong(value, own, why);
    }
    out.push_back({node->keys[i], value.text, fmt::format("{}: {}", value.where, own)});
  }
  return {};
}

}  // namespace

Result<void> read_request(const ObjectReader& target, RequestSpec& out) {
  const JsonNode* const node = target.find("request");
  if (node == nullptr) return {};
  const ObjectReader in = RT_TRY(
      ObjectReader::open(*node, target.path("request"),
                         {"method", "http", "streams", "compress", "ca", "verify", "headers"}));
  RT_CHECKED(in.word("method", 0, {{"GET", 0}}));
  out.http2 = RT_TRY(in.word("http", 0, {{"1.1", 0}, {"2", 1}})) == 1;
  std::uint64_t streams = out.streams;
  RT_CHECKED(in.count("streams", streams, 1, kMostStreams));
  out.streams = static_cast<std::uint32_t>(streams);
  if (out.streams > 1 && !out.http2) {
    return ObjectReader::wrong(*in.find("streams"), in.path("streams"),
                               "several streams on one connection need \"http\": \"2\"");
  }
  RT_CHECKED(read_compress(in, out.gzip));
  RT_CHECKED(read_headers(in, out.headers));
  RT_CHECKED(in.text("ca", out.authorities));
  return in.flag("verify", out.verify);
}

}  // namespace rt
