// "publish[].producer" of a scenario: through what events are published.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "load/scenario_reader.h"

namespace rt {
namespace {

// PostgreSQL's max_connections is 100 by default.
constexpr std::uint64_t kMostProducerConnections = 1'000;
// A statement of more rows is slower than two of half as many.
constexpr std::uint64_t kMostBatch = 1'000;

struct KindRow {
  const char* name;
  ProducerKind kind;
};
constexpr std::array kKinds = {
    KindRow{"pg-update", ProducerKind::pg_update},
    KindRow{"pg-insert", ProducerKind::pg_insert},
    KindRow{"pg-notify", ProducerKind::pg_notify},
    KindRow{"pg-job", ProducerKind::pg_job},
    KindRow{"http-post", ProducerKind::http_post},
    KindRow{"redis-publish", ProducerKind::redis_publish},
    KindRow{"redis-stream", ProducerKind::redis_stream},
};

// What a preset can be published through, the usual way first, and how it is spelled there unless
// the scenario says otherwise. An empty URL is the target's.
struct ProducerRow {
  Preset preset;
  ProducerKind kind;
  unsigned connections;
  const char* channel;
  const char* body;
};
constexpr const char* kTyped =
    R"({"type":"{topic}","data":{payload},"timestamp":"1970-01-01T00:00:00.000Z"})";
constexpr std::array kProducers = {
    ProducerRow{Preset::runs, ProducerKind::pg_update, 4, "", ""},
    ProducerRow{Preset::runs, ProducerKind::pg_insert, 4, "", ""},
    ProducerRow{Preset::topics, ProducerKind::http_post, 16, "", R"({"data":{payload}})"},
    ProducerRow{Preset::topics, ProducerKind::pg_notify, 4, "topic_broadcast_{shard}",
                R"({"topic":"{topic}","data":{payload}})"},
    ProducerRow{Preset::events, ProducerKind::http_post, 16, "",
                R"({"channel":"bench:{topic}:load","event_type":"bench.load","data":{payload}})"},
    ProducerRow{Preset::events, ProducerKind::redis_publish, 2, "bench:{topic}:load",
                R"({"event_type":"bench.load","data":{payload}})"},
    ProducerRow{Preset::realtime, ProducerKind::http_post, 16, "",
                R"({"type":"{topic}","data":{payload}})"},
    ProducerRow{Preset::realtime, ProducerKind::redis_publish, 2, "rt:all", kTyped},
    ProducerRow{Preset::realtime, ProducerKind::redis_stream, 2, "rt:stream", kTyped},
    ProducerRow{Preset::realtime, ProducerKind::pg_notify, 4, "realtime_events", kTyped},
    ProducerRow{Preset::jobs, ProducerKind::pg_job, 4, "", ""},
};

const ProducerRow* find_producer(Preset preset, std::optional<ProducerKind> kind) {
  const auto found = std::find_if(kProducers.begin(), kProducers.end(), [&](const auto& row) {
    return row.preset == preset && (!kind || row.kind == *kind);
  });
  return found == kProducers.end() ? nullptr : &*found;
}

std::string producers_of(Preset preset) {
  std::string names;
  for (const ProducerRow& row : kProducers) {
    if (row.preset != preset) continue;
    names += (names.empty() ? "" : " or ") + std::string(producer_name(row.kind));
  }
  return names;
}

// Where events are posted to when neither producer nor target says so: where subscribers listen,
// but for the query.
std::string post_url(const TargetSpec& target) {
  if (!target.publish_url.empty()) return target.publish_url;
  return target.url.substr(0, target.url.find('?'));
}

// A kind of producer; nullopt for "archive", which only "type" may be.
Result<std::optional<ProducerKind>> read_kind(const ObjectReader& in, std::string_view key) {
  std::string word;
  RT_CHECKED(in.text(key, word));
  const bool is_type = key == "type";
  if (is_type && word == "archive") return std::optional<ProducerKind>();
  std::vector<std::string_view> names;
  for (const KindRow& row : kKinds) {
    if (word == row.name) return std::optional(row.kind);
    names.emplace_back(row.name);
  }
  if (is_type) names.emplace_back("archive");
  return ObjectReader::wrong(*in.find(key), in.path(key),
                             fmt::format("unknown value \"{}\"", word) + suggestion(word, names));
}

struct Wanted {
  std::optional<ProducerKind> kind;  // nullopt: the preset's usual one
  const char* said_by = "type";
};

// What the producer is, and the recording that it takes instants, topics and sizes from, if any.
Result<Wanted> read_type(const ObjectReader& in, PublishSpec& out) {
  Wanted wanted;
  RT_CHECKED(in.text("archive", out.archive));
  const bool short_form = !out.archive.empty();
  if (!short_form) RT_CHECKED(in.require("type"));
  if (in.find("type") != nullptr) wanted.kind = RT_TRY(read_kind(in, "type"));
  if (wanted.kind) {
    if (in.find("file") == nullptr && in.find("speed") == nullptr && !short_form) return wanted;
    return ObjectReader::wrong(in.node(), in.path(),
                               "only a producer of type archive has \"file\" and \"speed\"");
  }
  if (!short_form) {
    RT_CHECKED(in.require("file"));
    RT_CHECKED(in.text("file", out.archive));
  }
  RT_CHECKED(in.number("speed", out.archive_speed, 0.001, 1'000));
  if (in.find("via") == nullptr) return wanted;
  wanted.kind = RT_TRY(read_kind(in, "via"));
  wanted.said_by = "via";
  return wanted;
}

// A setting of another kind of producer would be ignored: it is an error.
Result<void> check_settings(const ObjectReader& in, ProducerKind kind) {
  using Kinds = std::initializer_list<ProducerKind>;
  const auto only_for = [&](const char* key, Kinds kinds) -> Result<void> {
    if (in.find(key) == nullptr || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
      return {};
    }
    return ObjectReader::wrong(
        *in.find(key), in.path(key),
        fmt::format("a producer of type {} has no \"{}\"", producer_name(kind), key));
  };
  using Kind = ProducerKind;
  RT_CHECKED(only_for("table", {Kind::pg_update, Kind::pg_insert}));
  RT_CHECKED(only_for("batch", {Kind::pg_insert}));
  RT_CHECKED(only_for("schema", {Kind::pg_job}));
  RT_CHECKED(only_for("idempotency", {Kind::http_post}));
  RT_CHECKED(only_for("url", {Kind::http_post, Kind::redis_publish, Kind::redis_stream}));
  RT_CHECKED(only_for("channel", {Kind::pg_notify, Kind::redis_publish, Kind::redis_stream}));
  return only_for("body",
                  {Kind::http_post, Kind::pg_notify, Kind::redis_publish, Kind::redis_stream});
}

Result<void> read_settings(const ObjectReader& in, PublishSpec& out) {
  RT_CHECKED(check_settings(in, out.producer));
  RT_CHECKED(in.text("table", out.table));
  RT_CHECKED(in.text("schema", out.schema));
  RT_CHECKED(in.text("url", out.url));
  RT_CHECKED(in.text("channel", out.channel));
  RT_CHECKED(in.text("body", out.body));
  RT_CHECKED(in.flag("idempotency", out.idempotency));
  if (in.find("body") != nullptr && out.body.find("{payload}") == std::string::npos) {
    return ObjectReader::wrong(*in.find("body"), in.path("body"),
                               "expected \"{payload}\" in it: what carries the event's number");
  }
  std::uint64_t connections = out.connections;
  RT_CHECKED(in.count("connections", connections, 1, kMostProducerConnections));
  out.connections = static_cast<unsigned>(connections);
  std::uint64_t batch = out.batch;
  RT_CHECKED(in.count("batch", batch, 1, kMostBatch));
  out.batch = static_cast<std::uint32_t>(batch);
  return {};
}

}  // namespace

Result<void> read_producer(const ObjectReader& publish, const TargetSpec& target,
                           PublishSpec& out) {
  RT_CHECKED(publish.require("producer"));
  const ObjectReader in =
      RT_TRY(ObjectReader::open(*publish.find("producer"), publish.path("producer"),
                                {"type", "via", "archive", "file", "speed", "table", "schema",
                                 "url", "channel", "body", "connections", "batch", "idempotency"}));
  const Wanted wanted = RT_TRY(read_type(in, out));
  const ProducerRow* row = find_producer(target.preset, wanted.kind);
  if (row == nullptr) {
    const JsonNode* said = in.find(wanted.said_by);
    return ObjectReader::wrong(
        said != nullptr ? *said : in.node(), in.path(wanted.said_by),
        fmt::format("preset {} needs a producer of type {}", preset_name(target.preset),
                    producers_of(target.preset)));
  }
  out.producer = row->kind;
  out.channel = row->channel;
  out.body = row->body;
  out.connections = row->connections;
  if (out.producer == ProducerKind::http_post) out.url = post_url(target);
  return read_settings(in, out);
}

const char* producer_name(ProducerKind kind) {
  const auto row =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& one) { return one.kind == kind; });
  return row == kKinds.end() ? "unknown" : row->name;
}

}  // namespace rt
