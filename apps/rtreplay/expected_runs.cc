// Expected of `rtctl subscribe runs`: what a correct server makes of each change of the runs table
// for a subscriber with this filter. It keeps every row of that table, as the server does; where
// the recording began without a snapshot, a change of a row not seen before is judged by what is
// known.
#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "archive/stream_tracker.h"
#include "rtreplay/expected_events.h"
#include "server/run_changes.h"

namespace rt::rtreplay {
namespace {

using pgoutput::ValueKind;
using server::EventBlock;
using server::RunFilter;

// The parts of a frame that our encoder makes: id, event and data, a line each.
struct Frame {
  std::string_view id;
  std::string_view name;
  std::string_view data;
};

Frame parse_frame(std::string_view text) {
  const auto field = [&](std::string_view label) {
    text.remove_prefix(label.size());
    const std::string_view value = text.substr(0, text.find('\n'));
    text.remove_prefix(value.size() + 1);
    return value;
  };
  Frame frame;
  frame.id = field("id: ");
  frame.name = field("event: ");
  frame.data = field("data: ");
  return frame;
}

class RunEvents final : public ExpectedEvents {
 public:
  RunEvents(archive::Reader reader, const Expectation& expectation, RunFilter filter,
            std::string table)
      : reader_(std::move(reader)),
        expectation_(expectation),
        filter_(std::move(filter)),
        table_(std::move(table)),
        changes_(table_, store_) {
    listener_.on_event = [this](const server::EventRef& event) { add(event->content(), *event); };
    listener_.on_snapshot = [this](Position) { complete_ = true; };
  }

  Result<bool> next(ExpectedEvent& event) override {
    while (ready_.empty()) {
      if (!RT_TRY(reader_.next(entry_))) return false;
      take();
    }
    event = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

  std::optional<ReceivedEvent> received(const LoggedRecord& record) const override {
    if (record.event != "initial" && record.event != "delta") return std::nullopt;
    ReceivedEvent event = received_event(record, {});
    const auto position = Position::parse(record.id);
    event.state = position && position->lsn == 0;
    event.initial = record.event == "initial";
    return event;
  }

  DeliveryJudge::Options judge_options() const override {
    DeliveryJudge::Options options;
    options.ordered_ids = true;
    options.last_id = last_recorded_id(reader_);
    return options;
  }

 private:
  void take() {
    const RecordView& record = entry_.record;
    if (record.kind == RecordKind::gap) after_gap_ = true;
    unknown_.clear();
    letter_ = record.kind == RecordKind::wal ? archive::wal_letter(record.body) : '\0';
    changed_ = false;
    const auto decoded = pgoutput::decode(letter_ == '\0' ? std::string_view() : record.body);
    if (const auto* relation = std::get_if<pgoutput::Relation>(&decoded.message);
        letter_ == 'R' && relation != nullptr) {
      learn(*relation);
    } else if (const auto* update = std::get_if<pgoutput::Update>(&decoded.message);
               letter_ == 'U' && update != nullptr) {
      note_unknown(*update);
    }
    changes_.take(record, listener_);
    const auto oid = archive::relation_of(record.body);
    const bool ours = archive::is_row_letter(letter_) && oid && columns_.count(*oid) > 0;
    if (ours && (letter_ == 'U' || letter_ == 'D') && !changed_) add_unknown();
    if (letter_ == 'T' && !complete_) add_unknown();
  }

  void learn(const pgoutput::Relation& relation) {
    if (!server::is_table(relation, table_)) return;
    auto& names = columns_[relation.oid];
    names.clear();
    for (const pgoutput::Column column : relation.columns) {
      names.push_back(field_name(column.name));
    }
  }

  // Columns of the change whose values nobody was told.
  void note_unknown(const pgoutput::Update& update) {
    const auto names = columns_.find(update.relation);
    if (names == columns_.end()) return;
    std::size_t at = 0;
    for (const pgoutput::Value value : update.row) {
      if (value.kind == ValueKind::unchanged && at < names->second.size()) {
        unknown_.push_back(names->second[at]);
      }
      ++at;
    }
  }

  void add(const EventBlock::Content& content, const EventBlock& block) {
    changed_ = true;
    const std::string_view text = block.frame_for(filter_);
    const bool row_was_unknown = letter_ == 'U' && !content.before && !complete_;
    if (text.empty()) {
      if (row_was_unknown) add_unknown();  // it may have matched before
      return;
    }
    const Frame frame = parse_frame(text);
    ExpectedEvent event = made_here(std::string(frame.id));
    event.key = content.after ? content.after->id.low : content.before->id.low;
    event.fields = event_fields(frame.name, {}, frame.data);
    if (row_was_unknown) {  // delta or initial, some columns or all
      event.body = ExpectedEvent::Body::part;
      unknown_.push_back(event_name_field());
      event.fields.erase(std::remove_if(event.fields.begin(), event.fields.end(),
                                        [&](const EventField& field) {
                                          return std::find(unknown_.begin(), unknown_.end(),
                                                           field.name) != unknown_.end();
                                        }),
                         event.fields.end());
    }
    ready_.push_back(std::move(event));
  }

  // Something may have been sent here, and what cannot be told.
  void add_unknown() {
    ExpectedEvent event = made_here(entry_.position.text());
    event.body = ExpectedEvent::Body::any;
    event.required = false;
    ready_.push_back(std::move(event));
  }

  ExpectedEvent made_here(std::string id) {
    ExpectedEvent event;
    event.id = std::move(id);
    event.transaction = entry_.position.lsn;
    event.required = is_in_bounds(entry_, expectation_);
    event.after_gap = std::exchange(after_gap_, false);
    return event;
  }

  archive::Reader reader_;
  Expectation expectation_;
  RunFilter filter_;
  std::string table_;
  server::RunStore store_;
  server::RunChanges changes_;
  server::RunChanges::Listener listener_;
  archive::Entry entry_;
  std::unordered_map<std::uint32_t, std::vector<std::uint64_t>> columns_;  // of our table, by oid
  std::vector<std::uint64_t> unknown_;
  std::deque<ExpectedEvent> ready_;  // of one record
  char letter_ = '\0';
  bool changed_ = false;
  bool complete_ = false;  // the recording has a snapshot
  bool after_gap_ = false;
};

}  // namespace

Result<std::unique_ptr<ExpectedEvents>> expected_runs(const Expectation& expectation) {
  nlohmann::json filter = nlohmann::json::object();
  if (!expectation.run_id.empty()) filter["run_id"] = expectation.run_id;
  if (!expectation.env_id.empty()) filter["env_id"] = expectation.env_id;
  if (!expectation.tags.empty()) filter["tags"] = expectation.tags;
  if (expectation.tables.size() > 1) {
    return fail(Code::usage, "the runs surface has one table", "give --table once");
  }
  return std::make_unique<RunEvents>(
      RT_TRY(open_expected(expectation)), expectation,
      RT_TRY(RunFilter::parse(
          filter.dump(), expectation.all_tags ? server::TagsMatch::all : server::TagsMatch::any)),
      expectation.tables.empty() ? "task_run" : expectation.tables.front());
}

}  // namespace rt::rtreplay
