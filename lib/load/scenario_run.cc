// The sections of a scenario about the run as a whole: sources, integrity.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "io/socket.h"
#include "load/scenario_reader.h"

namespace rt {
namespace {

// A thread each: more than any machine has cores.
constexpr std::uint64_t kMostShards = 1'024;

bool is_auto(const JsonNode* node) {
  return node == nullptr || (node->kind == JsonNode::Kind::string && node->text == "auto");
}

// "40000-49999". Ports below 1024 are for root's servers.
Result<void> read_ports(const ObjectReader& in, io::PortRange& out) {
  if (is_auto(in.find("ports"))) return {};
  std::string text;
  RT_CHECKED(in.text("ports", text));
  const std::vector<std::string_view> ends = split(text, '-');
  const auto first = parse_decimal(ends[0]);
  const auto last = ends.size() == 2 ? parse_decimal(ends[1]) : std::nullopt;
  if (!first || !last || *first < 1'024 || *last < *first || *last > 65'535) {
    return ObjectReader::wrong(
        *in.find("ports"), in.path("ports"),
        fmt::format("expected a range of ports from 1024 to 65535, like \"40000-49999\", found {}",
                    describe(*in.find("ports"))));
  }
  out = {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
  return {};
}

Result<void> read_checks(const ObjectReader& in, IntegritySpec& out) {
  const JsonNode* list = RT_TRY(list_of(in, "check"));
  if (list == nullptr) return {};
  struct Check {
    std::string_view name;
    bool IntegritySpec::*wanted;
  };
  constexpr std::array kChecks = {
      Check{"loss", &IntegritySpec::loss}, Check{"duplicate", &IntegritySpec::duplicate},
      Check{"order", &IntegritySpec::order}, Check{"content", &IntegritySpec::content}};
  for (const Check& check : kChecks) out.*check.wanted = false;
  for (const JsonNode& item : list->items) {
    const auto check = std::find_if(kChecks.begin(), kChecks.end(),
                                    [&](const Check& one) { return one.name == item.text; });
    if (check != kChecks.end()) {
      out.*(check->wanted) = true;
      continue;
    }
    std::vector<std::string_view> names;
    for (const Check& one : kChecks) names.push_back(one.name);
    return ObjectReader::wrong(
        item, in.path("check"),
        fmt::format("unknown check {}", describe(item)) + suggestion(item.text, names));
  }
  return {};
}

}  // namespace

Result<void> read_integrity(const ObjectReader& root, IntegritySpec& out) {
  if (root.find("integrity") == nullptr) return {};
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*root.find("integrity"), root.path("integrity"),
                                {"check", "order", "allow", "expect_gap_signal"}));
  RT_CHECKED(read_checks(in, out));
  RT_TRY(in.word("order", 0, {{"per-topic", 0}},
                 {{"global", "topics have publishers of their own, and no order between them"}}));
  RT_CHECKED(in.flag("expect_gap_signal", out.expect_gap_signal));
  if (in.find("allow") == nullptr) return {};
  const ObjectReader allow =
      RT_TRY(ObjectReader::open(*in.find("allow"), in.path("allow"), {"duplicate"}));
  out.allow_resent = RT_TRY(allow.word("duplicate", 0, {{"never", 0}, {"after-resume", 1}})) == 1;
  return {};
}

Result<void> read_sources(const ObjectReader& root, SourcesSpec& out) {
  if (root.find("sources") == nullptr) return {};
  const ObjectReader in = RT_TRY(ObjectReader::open(*root.find("sources"), root.path("sources"),
                                                    {"addresses", "ports", "shards", "threads"}));
  if (!is_auto(in.find("threads"))) {
    return ObjectReader::wrong(*in.find("threads"), in.path("threads"),
                               "expected \"auto\": each shard is a thread; say \"shards\"");
  }
  RT_CHECKED(read_ports(in, out.ports));
  if (!is_auto(in.find("shards"))) {
    std::uint64_t shards = 1;
    RT_CHECKED(in.count("shards", shards, 1, kMostShards));
    out.shards = static_cast<unsigned>(shards);
  }
  if (is_auto(in.find("addresses"))) return {};
  const JsonNode* list = RT_TRY(list_of(in, "addresses"));
  for (const JsonNode& item : list->items) {
    // A number, as names may stand for several.
    const bool is_number =
        item.text.find_first_not_of("0123456789abcdefABCDEF.:[]") == std::string::npos;
    if (item.kind != JsonNode::Kind::string || !is_number || !io::parse_address(item.text + ":0")) {
      return ObjectReader::wrong(
          item, in.path("addresses"),
          fmt::format("expected an address of this machine, like \"127.0.1.1\", found {}",
                      describe(item)));
    }
    out.addresses.push_back(item.text);
  }
  return {};
}

}  // namespace rt
