// Expected of `rtctl subscribe wal`: an event for each row change.
#include <deque>
#include <nlohmann/json.hpp>

#include "pipe/wal_events.h"
#include "rtreplay/expected_events.h"

namespace rt::rtreplay {
namespace {

class RowEvents final : public ExpectedEvents {
 public:
  RowEvents(archive::Reader reader, const Expectation& expectation, WalEventsOptions options)
      : reader_(std::move(reader)), expectation_(expectation), events_(std::move(options)) {}

  Result<bool> next(ExpectedEvent& event) override {
    archive::Entry entry;
    while (ready_.empty()) {
      if (!RT_TRY(reader_.next(entry))) return false;
      if (entry.record.kind == RecordKind::gap) after_gap_ = true;
      RT_CHECKED(events_.take(entry.record, [&](const WalEvent& row) { add(row, entry); }));
    }
    event = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

  std::optional<ReceivedEvent> received(const LoggedRecord& record) const override {
    ReceivedEvent event = received_event(record, record.topic);
    event.state = record.event == "row";
    return event;
  }

  DeliveryJudge::Options judge_options() const override {
    DeliveryJudge::Options options;
    options.ordered_ids = true;
    options.last_id = last_recorded_id(reader_);
    return options;
  }

 private:
  // A row is known by its table and its column "id"; a table without one has one order.
  static std::uint64_t key_of(const WalEvent& row) {
    const auto data = nlohmann::json::parse(row.data, nullptr, /*allow_exceptions=*/false);
    std::string key(row.topic);
    for (const char* side : {"new", "old"}) {
      const auto columns = data.find(side);
      if (columns == data.end() || !columns->is_object() || !columns->contains("id")) continue;
      return field_name(key + ' ' + (*columns)["id"].dump());
    }
    return field_name(key);
  }

  void add(const WalEvent& row, const archive::Entry& entry) {
    if (row.name == "row") return;
    ExpectedEvent event;
    event.id = row.id;
    event.transaction = entry.position.lsn;
    event.key = key_of(row);
    event.fields = event_fields(row.name, row.topic, row.data);
    event.required = is_in_bounds(entry, expectation_);
    event.after_gap = std::exchange(after_gap_, false);
    ready_.push_back(std::move(event));
  }

  archive::Reader reader_;
  Expectation expectation_;
  WalEvents events_;
  std::deque<ExpectedEvent> ready_;  // of one record: a TRUNCATE names several tables
  bool after_gap_ = false;
};

}  // namespace

Result<std::unique_ptr<ExpectedEvents>> expected_rows(const Expectation& expectation) {
  WalEventsOptions options;
  for (const std::string& name : expectation.tables) {
    options.tables.push_back(RT_TRY(parse_table_name(name)));
  }
  return std::make_unique<RowEvents>(RT_TRY(open_expected(expectation)), expectation,
                                     std::move(options));
}

}  // namespace rt::rtreplay
