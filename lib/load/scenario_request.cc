#include "load/scenario_request.h"

#include "load/object_reader.h"

namespace rt {
namespace {

// A server that allows more at once is rare, and one connection is one shard's.
constexpr std::uint64_t kMostStreams = 10'000;

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

}  // namespace

Result<void> read_request(const ObjectReader& target, RequestSpec& out) {
  const JsonNode* const node = target.find("request");
  if (node == nullptr) return {};
  const ObjectReader in = RT_TRY(ObjectReader::open(*node, target.path("request"),
                                                    {"http", "streams", "compress", "ca", "verify"},
                                                    {"method", "headers"}));
  out.http2 = RT_TRY(in.word("http", 0, {{"1.1", 0}, {"2", 1}})) == 1;
  std::uint64_t streams = out.streams;
  RT_CHECKED(in.count("streams", streams, 1, kMostStreams));
  out.streams = static_cast<std::uint32_t>(streams);
  if (out.streams > 1 && !out.http2) {
    return ObjectReader::wrong(*in.find("streams"), in.path("streams"),
                               "several streams on one connection need \"http\": \"2\"");
  }
  RT_CHECKED(read_compress(in, out.gzip));
  RT_CHECKED(in.text("ca", out.authorities));
  return in.flag("verify", out.verify);
}

}  // namespace rt
