#include "rtreplay/expected_events.h"

namespace rt::rtreplay {

Result<std::unique_ptr<ExpectedEvents>> expected_events(Surface surface,
                                                        const Expectation& expectation) {
  switch (surface) {
    case Surface::runs:
      return expected_runs(expectation);
    case Surface::rows:
      return expected_rows(expectation);
    case Surface::events:
      break;
  }
  return expected_recorded(expectation);
}

Result<archive::Reader> open_expected(const Expectation& expectation) {
  archive::ReadOptions options;
  options.committed_only = true;
  options.on_damage = expectation.on_damage;
  return archive::Reader::open(expectation.archive, options);
}

bool is_in_bounds(const archive::Entry& entry, const Expectation& expectation) {
  const auto compare = [&](const ArchiveBound& bound, bool upper) {
    if (const auto* position = std::get_if<Position>(&bound.at)) {
      const Position last =
          bound.whole_transaction ? Position{position->lsn, Position::kEnd} : *position;
      return upper ? entry.position <= last : entry.position >= *position;
    }
    const std::int64_t us = unix_us(std::get<WallTime>(bound.at));
    return upper ? entry.t_hi <= us : entry.t_hi >= us;
  };
  return (!expectation.from || compare(*expectation.from, false)) &&
         (!expectation.to || compare(*expectation.to, true));
}

std::string last_recorded_id(const archive::Reader& reader) {
  if (reader.block_count() == 0) return {};
  const std::uint64_t lsn = reader.block(reader.block_count() - 1).last_commit_lsn;
  return Position{lsn, Position::kEnd}.text();
}

ReceivedEvent received_event(const LoggedRecord& record, std::string_view topic) {
  ReceivedEvent event;
  event.line = record.line;
  event.id = record.id;
  event.fields = event_fields(record.event, topic, record.data);
  event.connection = record.connection;
  return event;
}

}  // namespace rt::rtreplay
