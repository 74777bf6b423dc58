#include "server/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "io/poller.h"

namespace rt::server {
namespace {

constexpr auto kCountersEvery = std::chrono::milliseconds(100);
constexpr auto kTidyEvery = std::chrono::minutes(1);

void append_ignored(std::string& text, const RunFilter& filter) {
  for (const std::string& key : filter.ignored()) {
    text.append(": ignored unknown filter key ");
    append_json_string(text, key);
    text.append("\n\n");
  }
}

}  // namespace

Hub::Hub(Options options, const Clock& clock, std::vector<Link*> links, io::Wakeup wakeup,
         Counters& counters, Drain& drain, std::unique_ptr<History> history)
    : options_(std::move(options)),
      clock_(clock),
      links_(std::move(links)),
      wakeup_(std::move(wakeup)),
      counters_(counters),
      drain_(drain),
      history_(std::move(history)),
      go_frames_(options_.compat_go ? std::optional<RunGoFrames>(RunGoFrames()) : std::nullopt),
      changes_(options_.table, store_, go_frames()),
      ring_(options_.ring_bytes_max) {
  RT_CHECK(links_.size() <= kShardsMax);
  batches_[static_cast<std::size_t>(Surface::runs)].emplace(kBatchesMax);
}

Result<std::optional<History::Resume>> Hub::restore() {
  std::optional<History::Resume> resume;
  if (history_ != nullptr) {
    const RunChanges::Listener quiet{[this](EventRef event) { ring_.push(std::move(event)); },
                                     [this](Position position) { ring_.reset(position); }};
    resume = RT_TRY(history_->read_back([&](const RecordView& record) {
      changes_.take(record, quiet);
      hear_row(record);
    }));
    counters_.ready = resume.has_value();
  }
  if (options_.accepts_publish) begin_in_memory(resume);
  if (!options_.expects_rows) counters_.ready = true;
  update_counters();
  return resume;
}

// Without a database the state is complete from the start, and the table is ours to describe.
void Hub::begin_in_memory(const std::optional<History::Resume>& resume) {
  auto relation = std::make_shared<RecordBatch>();
  memory_table_.append_relation(*relation, clock_.wall());
  apply(*relation);
  if (history_ != nullptr) history_->append(std::move(relation));
  if (resume) {
    memory_table_.continue_after(resume->end_lsn);
  } else {
    ring_.reset({static_cast<std::uint64_t>(unix_us(clock_.wall())), 0});
  }
  counters_.ready = true;
}

Result<void> Hub::take(Surface surface, RecordBatch& batch, const std::stop_token& stop) {
  auto& batches = batches_[static_cast<std::size_t>(surface)];
  RT_CHECK(batches.has_value());
  auto shared = std::make_shared<RecordBatch>(std::move(batch));
  batch = RecordBatch();
  while (!batches->push(std::move(shared))) {
    if (stop.stop_requested()) return fail(Code::cancelled, "stopped");
    wakeup_.ring();
    std::this_thread::yield();
  }
  wakeup_.ring();
  return {};
}

void Hub::run(const std::stop_token& stop) {
  auto poller = io::Poller::create();
  RT_CHECK(poller.has_value());
  RT_CHECK(poller->watch(wakeup_.fd(), 0, io::Interest::read).has_value());
  std::array<io::Ready, 1> ready;
  Instant next_counters = clock_.now();
  Instant next_tidying = next_counters + kTidyEvery;
  while (!stop.stop_requested()) {
    const Instant now = clock_.now();
    if (now >= next_counters) {
      update_counters();
      next_counters = now + kCountersEvery;
    }
    if (now >= next_tidying) {
      tidy_boards();
      next_tidying = now + kTidyEvery;
    }
    const Instant drain_due = drain_.has_begun() && !finished_ ? drain_.deadline() : next_counters;
    poller->wait(ready, std::min(next_counters, drain_due), now);
    wakeup_.answer();
    while (!stop.stop_requested() && round()) drain();
    drain();
  }
  if (history_ != nullptr) history_->stop();
}

// A bounded turn for each source and each shard. False: there was nothing to do.
bool Hub::round() {
  bool busy = false;
  std::shared_ptr<RecordBatch> batch;
  if (batches_[static_cast<std::size_t>(Surface::runs)]->pop(batch)) {
    apply(*batch);
    if (history_ != nullptr) history_->append(std::move(batch));
    busy = true;
  }
  busy |= hear_messages();
  for (std::size_t shard = 0; shard < links_.size(); ++shard) busy |= serve_shard(shard);
  ring_shards();
  return busy;
}

void Hub::apply(const RecordBatch& batch) {
  const RunChanges::Listener listener{[this](EventRef event) { deliver(std::move(event)); },
                                      [this](Position position) { begin_anew(position); }};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    changes_.take(batch[i], listener);
    hear_row(batch[i]);
  }
}

void Hub::deliver(EventRef event) {
  send_to_subscribers(event);
  ring_.push(std::move(event));
}

void Hub::send_to_subscribers(const EventRef& event) {
  counters_.events.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t shards = 0;
  for (const std::uint64_t key : event->content().keys) {
    if (const std::uint64_t* mask = directory_.find(key)) shards |= *mask;
  }
  for (; shards != 0; shards &= shards - 1) {
    ToShard message;
    message.kind = ToShard::Kind::event;
    message.event = event;
    post(static_cast<std::size_t>(std::countr_zero(shards)), std::move(message));
  }
}

// Everything before `position` is void or out of reach.
void Hub::begin_anew(Position position) {
  const bool had_state = counters_.ready.exchange(true);
  ring_.reset(position);
  catching_up_.clear();
  for (std::size_t shard = 0; had_state && shard < links_.size(); ++shard) {
    ToShard message;
    message.kind = ToShard::Kind::reset;
    post(shard, std::move(message));
  }
  log::info("state is complete",
            fmt::format("runs={} position={}", store_.size(), position.text()));
}

void Hub::post(std::size_t shard, ToShard&& message) {
  if (finished_) return;  // nobody is there to be told
  shards_to_ring_ |= std::uint64_t{1} << shard;
  if (links_[shard]->to_shard.push(std::move(message))) return;
  // The shard is behind. It never waits for the hub, so this ends; meanwhile the source waits too.
  counters_.shard_waits.fetch_add(1, std::memory_order_relaxed);
  while (!links_[shard]->to_shard.push(std::move(message))) {
    if (links_[shard]->gone.load(std::memory_order_relaxed)) return;  // its time to drain was over
    links_[shard]->shard_wakeup.ring();
    std::this_thread::yield();
  }
}

void Hub::ring_shards() {
  for (; shards_to_ring_ != 0; shards_to_ring_ &= shards_to_ring_ - 1) {
    links_[static_cast<std::size_t>(std::countr_zero(shards_to_ring_))]->shard_wakeup.ring();
  }
}

// A bounded turn, so that changes are not kept waiting by a storm of new subscribers.
bool Hub::serve_shard(std::size_t shard) {
  constexpr int kMessagesPerTurn = 64;
  ToHub message;
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    if (!links_[shard]->to_hub.pop(message)) return false;
    serve({shard, message.connection}, message);
  }
  return true;
}

void Hub::serve(const Asker& asker, ToHub& message) {
  const std::size_t shard = asker.shard;
  switch (message.kind) {
    case ToHub::Kind::subscribe:
      subscribe(shard, message);
      break;
    case ToHub::Kind::fetch: {
      const auto found = catching_up_.find(catch_up_key(shard, message.connection.slot));
      if (found == catching_up_.end()) break;  // begun anew meanwhile: its reset is on the way
      if (found->second.generation != message.connection.generation) break;
      CatchUp state = std::move(found->second.state);
      catching_up_.erase(found);
      advance(shard, message.connection, std::move(state), {});
      break;
    }
    case ToHub::Kind::leave: {
      const auto found = catching_up_.find(catch_up_key(shard, message.connection.slot));
      if (found != catching_up_.end() &&
          found->second.generation == message.connection.generation) {
        catching_up_.erase(found);
      }
      break;
    }
    case ToHub::Kind::forget_key:
      if (std::uint64_t* mask = directory_.find(message.key)) {
        *mask &= ~(std::uint64_t{1} << shard);
        if (*mask == 0) directory_.erase(message.key);
      }
      break;
    case ToHub::Kind::publish:
      publish(shard, message);
      break;
    case ToHub::Kind::join:
    case ToHub::Kind::part:
    case ToHub::Kind::missed:
    case ToHub::Kind::ask:
      serve_board(asker, message);
      break;
    case ToHub::Kind::none:
      break;
  }
}

void Hub::subscribe(std::size_t shard, ToHub& message) {
  for (const std::uint64_t key : message.filter->keys()) {
    directory_[key] |= std::uint64_t{1} << shard;
  }
  if (go_frames_ && message.resume) {  // an id of another kind of stream
    message.resume.reset();
    message.foreign_id = true;
  }
  if (message.resume && *message.resume > changes_.position()) {
    // Ahead of us: it saw from another instance, or before a crash, what we are yet to receive.
    counters_.resumed.fetch_add(1, std::memory_order_relaxed);
    ToShard reply;
    reply.kind = ToShard::Kind::chunk;
    reply.live = true;
    reply.connection = message.connection;
    reply.seen = *message.resume;
    reply.text = fmt::format(
        ": this server has come to {} and is behind Last-Event-ID {}; what follows that is "
        "sent\n\n",
        changes_.position().text(), message.resume->text());
    append_ignored(reply.text, *message.filter);
    post(shard, std::move(reply));
    return;
  }
  std::string text;
  std::optional<CatchUp> catch_up = go_on(message);
  if (catch_up) {
    counters_.resumed.fetch_add(1, std::memory_order_relaxed);
  } else {
    const bool begins = !message.resume && !message.foreign_id;
    if (!begins) {
      counters_.started_anew.fetch_add(1, std::memory_order_relaxed);
      text = message.foreign_id
                 ? ": Last-Event-ID is not a position of this stream; sending the current state\n\n"
                 : fmt::format(": history does not reach back to {}; sending the current state\n\n",
                               message.resume->text());
    }
    if (begins && message.new_only) {
      catch_up = CatchUp::from_event(message.filter, ring_.end_serial());
      if (!go_frames_) text = fmt::format("id: {}\n\n", changes_.position().text());
    } else {
      catch_up = from_rows(message.filter);
    }
  }
  append_ignored(text, *message.filter);
  advance(shard, message.connection, std::move(*catch_up), std::move(text));
}

// From the subscriber's last event, if history reaches back to it.
std::optional<CatchUp> Hub::go_on(const ToHub& message) {
  if (!message.resume) return std::nullopt;
  if (*message.resume >= ring_.floor()) {
    return CatchUp::from_event(message.filter, ring_.serial_after(*message.resume));
  }
  if (history_ == nullptr) return std::nullopt;
  auto archive = ArchiveReplay::open(history_->directory(), options_.table, *message.resume);
  if (!archive) return std::nullopt;
  return CatchUp::from_archive(message.filter, std::move(*archive));
}

CatchUp Hub::from_rows(std::shared_ptr<const RunFilter> filter) {
  std::vector<std::uint32_t> slots = store_.matching(*filter);
  return CatchUp::from_rows(std::move(filter), std::move(slots), changes_.position(),
                            ring_.end_serial());
}

// Sends the next chunk of a subscriber's way to the live edge.
void Hub::advance(std::size_t shard, ConnectionId connection, CatchUp catch_up, std::string text) {
  CatchUp::Step step = catch_up.next(text, store_, ring_, changes_.position(), go_frames());
  if (step == CatchUp::Step::too_old) {
    counters_.started_anew.fetch_add(1, std::memory_order_relaxed);
    text.append(": too slow for the history kept; sending the current state\n\n");
    catch_up = from_rows(catch_up.filter());
    step = catch_up.next(text, store_, ring_, changes_.position(), go_frames());
  }
  ToShard reply;
  reply.kind = ToShard::Kind::chunk;
  reply.live = step == CatchUp::Step::live;
  reply.connection = connection;
  reply.seen = changes_.position();
  if (reply.live) text.append(": caught up\n\n");
  reply.text = std::move(text);
  if (!reply.live) {
    catching_up_.insert_or_assign(catch_up_key(shard, connection.slot),
                                  CatchingUp{connection.generation, std::move(catch_up)});
  }
  post(shard, std::move(reply));
}

void Hub::publish(std::size_t shard, const ToHub& message) {
  RecordBatch batch;
  const auto published = memory_table_.upsert(message.text, store_, clock_.wall(), batch);
  if (!published) {
    const int status = published.error().code == Code::refused ? 404 : 400;
    return answer({shard, message.connection},
                  {.status = status, .body = published.error().text + "\n"});
  }
  std::string text = "{\"id\":";
  append_json_string(text, published->id);
  text += fmt::format(",\"position\":\"{}\"}}\n", published->position.text());
  apply(batch);
  if (history_ != nullptr) history_->append(std::make_shared<RecordBatch>(std::move(batch)));
  answer({shard, message.connection},
         {.body = std::move(text), .content_type = "application/json"});
}

void Hub::update_counters() {
  counters_.runs = store_.size();
  counters_.position_lsn = changes_.position().lsn;
  counters_.end_lsn = changes_.end_lsn();
  counters_.last_commit_us = changes_.last_commit_us();
  counters_.damaged_messages = changes_.damaged();
}

}  // namespace rt::server
