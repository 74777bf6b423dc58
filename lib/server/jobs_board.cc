#include "server/jobs_board.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace rt::server {
namespace {

constexpr std::string_view kNotFound = "data: {\"error\":\"not_found\"}\n\n";

std::string frame_of(Position position, const JobRow& row) {
  std::string frame = "id: " + position.text() + "\ndata: ";
  append_job_json(frame, row);
  return frame.append("\n\n");
}

bool same(const Asker& a, const Asker& b) {
  return a.shard == b.shard && a.connection.slot == b.connection.slot &&
         a.connection.generation == b.connection.generation;
}

Answer sent_answer(const Result<std::string>& sent) {
  Answer answer{.content_type = "application/json"};
  const char* key = sent ? "{\"id\":" : "{\"error\":";
  answer.body = key;
  append_json_string(answer.body, sent ? *sent : sent.error().text);
  answer.body.append("}\n");
  if (sent) return answer;
  switch (sent.error().code) {
    case Code::refused:
      answer.status = 404;
      break;
    case Code::negative:
      answer.status = 409;
      break;
    default:
      answer.status = 503;
  }
  return answer;
}

}  // namespace

JobsBoard::JobsBoard(Options options)
    : options_(std::move(options)),
      changes_(options_.table,
               {[this](Position position, const JobRow& row) { take_row(position, row); },
                [this](Position position, const std::string& id) { take_end(position, id); },
                [this] { begin_anew(); }, [this](Position position) { complete(position); },
                [this](Position position) { take_truncate(position); }}),
      count_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

Result<void> JobsBoard::open(BoardPort& port) {
  port_ = &port;
  lookers_ = RT_TRY(Errands::start(port.wakeup()));
  senders_ = RT_TRY(Errands::start(port.wakeup()));
  return {};
}

void JobsBoard::join(const Asker& subscriber, const Opening& opening) {
  Watched& watched = watched_[opening.target];
  watched.id = opening.name;
  Watcher& watcher = watched.watchers.emplace_back(Watcher{subscriber, 0});
  const auto seen = Position::parse(opening.last_event_id);
  const auto ended = ended_.find(opening.target);
  if (seen && ended != ended_.end() && ended->second <= *seen) {
    return port_->tell(subscriber, {}, /*last=*/true);
  }
  port_->tell(subscriber, {});
  const auto kept = unfinished_.find(opening.target);
  if (kept == unfinished_.end() || kept->second.frame.empty()) {
    return look_up(opening.target, watcher);
  }
  if (!seen || kept->second.position > *seen) port_->tell(subscriber, kept->second.frame);
}

void JobsBoard::part(const Asker& subscriber, const Hash128& target, bool /*gzip*/) {
  const auto found = watched_.find(target);
  if (found == watched_.end()) return;
  std::erase_if(found->second.watchers,
                [&](const Watcher& watcher) { return same(watcher.asker, subscriber); });
  if (found->second.watchers.empty()) watched_.erase(found);
}

void JobsBoard::ask(const Asker& asker, Question question) {
  struct Task {
    Question question;
    Answer answer;
  };
  auto task = std::make_shared<Task>(Task{std::move(question), {}});
  const bool taken = senders_->submit(
      {.work =
           [this, task] {
             task->answer = sent_answer(options_.send(task->question.name, task->question.text));
           },
       .done = [this, task, asker] { port_->answer(asker, std::move(task->answer)); }});
  if (taken) return;
  port_->answer(asker, sent_answer(fail(Code::limit, "too many jobs are waiting to be sent")));
}

bool JobsBoard::turn() {
  lookers_->finish();
  senders_->finish();
  return false;
}

void JobsBoard::take_row(Position position, const JobRow& row) {
  const Hash128 job = hash_name(Role::job, row.id);
  forget(job);
  // Of ended jobs most have no watcher, and nobody needs their frame.
  const bool wanted = !row.ended() || watched_.contains(job);
  std::string frame = wanted ? frame_of(position, row) : std::string();
  send(job, position, frame, row.ended());
  if (row.ended()) return remember_end(job, position);
  Kept kept{position, {}};
  if (row_bytes_ + frame.size() <= options_.row_bytes_max) {
    row_bytes_ += frame.size();
    kept.frame = std::move(frame);
  }
  unfinished_[job] = std::move(kept);
  *count_ = unfinished_.size();
}

void JobsBoard::take_end(Position position, const std::string& id) {
  const Hash128 job = hash_name(Role::job, id);
  forget(job);
  send(job, position, kNotFound, /*last=*/true);
}

void JobsBoard::take_truncate(Position position) {
  begin_anew();
  knows_all_ = true;
  for (const auto& [job, watched] : watched_) send(job, position, kNotFound, /*last=*/true);
}

void JobsBoard::begin_anew() {
  unfinished_.clear();
  ended_.clear();
  ended_order_.clear();
  row_bytes_ = 0;
  *count_ = 0;
  knows_all_ = false;
}

// Who watches a job that ended unseen, while changes were lost, must hear of it.
void JobsBoard::complete(Position /*position*/) {
  knows_all_ = true;
  for (auto& [job, watched] : watched_) {
    if (unfinished_.contains(job)) continue;
    for (Watcher& watcher : watched.watchers) look_up(job, watcher);
  }
}

void JobsBoard::forget(const Hash128& job) {
  ended_.erase(job);
  const auto found = unfinished_.find(job);
  if (found == unfinished_.end()) return;
  row_bytes_ -= found->second.frame.size();
  unfinished_.erase(found);
  *count_ = unfinished_.size();
}

void JobsBoard::remember_end(const Hash128& job, Position position) {
  ended_[job] = position;
  ended_order_.push_back(job);
  if (ended_order_.size() <= kEndedMax) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

void JobsBoard::send(const Hash128& job, Position position, std::string_view frame, bool last) {
  const auto found = watched_.find(job);
  if (found == watched_.end()) return;
  for (Watcher& watcher : found->second.watchers) watcher.number = 0;  // older than this event
  const std::array<std::uint64_t, 1> keys{job.low};
  EventBlock::Content content;
  content.surface = Surface::jobs;
  content.position = position;
  content.keys = keys;
  content.target = job;
  content.last = last;
  content.frame = frame;
  port_->send(EventRef::adopt(EventBlock::create(content)));
}

void JobsBoard::look_up(const Hash128& job, Watcher& watcher) {
  struct Task {
    std::string id;
    Result<std::optional<JobRow>> found;
  };
  auto task = std::make_shared<Task>(Task{watched_[job].id, std::nullopt});
  watcher.number = ++lookups_;
  const bool taken = lookers_->submit(
      {.work = [this, task] { task->found = options_.look(task->id); },
       .done = [this, task, job, number = lookups_] { looked_up(job, number, task->found); }});
  if (taken) return;
  port_->tell(watcher.asker, ": too many jobs are being looked up; come again\n\n", true);
}

void JobsBoard::looked_up(const Hash128& job, std::uint64_t number,
                          const Result<std::optional<JobRow>>& found) {
  const auto watched = watched_.find(job);
  if (watched == watched_.end()) return;
  auto& watchers = watched->second.watchers;
  const auto watcher = std::find_if(watchers.begin(), watchers.end(),
                                    [&](const Watcher& each) { return each.number == number; });
  if (watcher == watchers.end()) return;  // gone, or it has heard newer things
  watcher->number = 0;
  const Asker asker = watcher->asker;
  if (!found) {
    return port_->tell(asker, ": the database does not answer; come again\n\n", /*last=*/true);
  }
  if (!*found) return port_->tell(asker, std::string(kNotFound), /*last=*/true);
  const JobRow& row = **found;
  // A job that has not ended and is not in memory is on its way here through the WAL.
  const bool on_its_way = knows_all_ && !unfinished_.contains(job);
  if (!row.ended() && on_its_way) return;
  port_->tell(asker, frame_of(changes_.position(), row), row.ended());
}

}  // namespace rt::server
