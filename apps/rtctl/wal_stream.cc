#include "rtctl/wal_stream.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "base/random.h"
#include "pg/connection.h"
#include "pg/slot.h"
#include "pipe/wal_events.h"
#include "pipe/wal_source.h"
#include "rtctl/taker_link.h"

namespace rt::rtctl {
namespace {

// What a person must know to understand why nothing comes, or what was made in the database. The
// connection's own story goes to the taker.
void show_notice(const WalNotice& notice, bool kept) {
  using Kind = WalNotice::Kind;
  const bool shown = notice.kind == Kind::waiting || notice.kind == Kind::setup ||
                     (notice.kind == Kind::warning && kept);
  if (shown) std::fprintf(stderr, "rtctl: %s\n", notice.text.c_str());
}

class WalStream final : public EventStream {
 public:
  WalStream(WalStreamOptions options, WalEventsOptions events)
      : options_(std::move(options)), events_(std::move(events)) {}

  Result<StreamEnd> run(EventTaker& taker, std::stop_token stop) override {
    if (kept() && options_.since.kind == Since::Kind::end) {
      events_.after = Position{RT_TRY(wal_end()) - 1, Position::kEnd};
    }
    TakerLink link(taker, std::move(stop));
    WalSource source(
        source_options(), [this](const WalNotice& notice) { show_notice(notice, kept()); },
        link.watch());
    WalEvents events(events_);
    const auto show = [&link](const WalEvent& event) {
      link.give({event.name, event.id, event.data, event.topic, event.committed});
    };
    const Result<void> ended = source.run(link.token(), [&](RecordBatch& batch) -> Result<void> {
      for (std::size_t i = 0; i < batch.size() && !link.ended(); ++i) {
        if (batch[i].kind == RecordKind::gap) link.gap(batch[i].body);
        RT_CHECKED(events.take(batch[i], show));
      }
      link.drained([&] { source.confirm(events.end_lsn()); });
      return {};
    });
    if (!ended) return fail(ended.error());
    return StreamEnd::stopped;
  }

  std::string name() const override {
    return fmt::format("wal {}{}{}", options_.publication, kept() ? " " : "", options_.slot);
  }

 private:
  bool kept() const { return !options_.slot.empty(); }

  WalSourceOptions source_options() const {
    WalSourceOptions source;
    source.dsn = options_.dsn;
    source.publication = options_.publication;
    source.create_publication = false;
    source.tables = events_.tables;
    source.slot = options_.slot;
    source.temporary = !kept();
    source.application_name = "rtctl";
    source.retries_max = options_.retries_max;
    source.snapshot = !options_.snapshot ? SnapshotMode::never
                      : kept()           ? SnapshotMode::if_new_slot
                                         : SnapshotMode::always;
    if (kept()) return source;
    const SystemClock clock;
    Random random = Random::of(static_cast<std::uint64_t>(clock.now().time_since_epoch().count()),
                               "temporary slot");
    source.slot = fmt::format("rtctl_{:016x}", random.next());
    return source;
  }

  // How far the server has written: what comes after it is new.
  Result<std::uint64_t> wal_end() const {
    ConnectOptions connect;
    connect.replication = true;
    connect.application_name = "rtctl";
    Connection connection = RT_TRY(Connection::connect(options_.dsn, connect));
    const ServerIdentity server = RT_TRY(identify_server(connection));
    return server.wal_end;
  }

  WalStreamOptions options_;
  WalEventsOptions events_;
};

Result<void> check_since(const WalStreamOptions& options) {
  using Kind = Since::Kind;
  const Kind kind = options.since.kind;
  if (kind == Kind::id && !Position::parse(options.since.id)) {
    return fail(Code::usage, fmt::format("\"{}\" is not the id of a row change", options.since.id),
                "ids look like 000000014D7E3B28-00000002");
  }
  if (kind == Kind::unset || kind == Kind::end || !options.slot.empty()) return {};
  return fail(Code::usage, "a temporary slot begins now: it has no past to begin in",
              "name a slot that is kept, --slot NAME, before the events happen");
}

}  // namespace

Result<std::unique_ptr<EventStream>> open_wal_stream(const WalStreamOptions& options) {
  if (!options.slot.empty()) RT_CHECKED(check_slot_name(options.slot));
  RT_CHECKED(check_since(options));
  WalEventsOptions events;
  for (const std::string& name : options.tables) {
    events.tables.push_back(RT_TRY(parse_table_name(name)));
  }
  if (options.since.kind == Since::Kind::id) events.after = Position::parse(options.since.id);
  if (options.since.kind == Since::Kind::time) events.since = options.since.time;
  return std::make_unique<WalStream>(options, std::move(events));
}

}  // namespace rt::rtctl
