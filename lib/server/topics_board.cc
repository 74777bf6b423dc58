#include "server/topics_board.h"

#include <fmt/format.h>

#include "archive/bodies.h"
#include "base/log.h"
#include "base/text.h"
#include "server/topic_wire.h"
#include "server/topics_endpoint.h"

namespace rt::server {

Result<void> TopicsBoard::open(BoardPort& port) {
  port_ = &port;
  if (options_.send) errands_ = RT_TRY(Errands::start(port.wakeup()));
  return {};
}

void TopicsBoard::join(const Asker& subscriber, const Opening& opening) {
  table_.join(opening.target, opening.name, opening.gzip, port_->now());
  port_->tell(subscriber, {});
}

void TopicsBoard::part(const Asker&, const Hash128& target, bool gzip) {
  table_.part(target, gzip, port_->now());
}

void TopicsBoard::ask(const Asker& asker, Question question) {
  if (question.verb == static_cast<int>(TopicVerb::publish)) {
    return publish(asker, std::move(question));
  }
  const TopicTable::Links links = options_.links ? options_.links() : TopicTable::Links{};
  const std::size_t limit = parse_decimal(question.text).value_or(SIZE_MAX);
  port_->answer(asker, {.body = table_.health_json(links, limit, port_->now()),
                        .content_type = "application/json"});
}

void TopicsBoard::publish(const Asker& asker, Question question) {
  Answer good{
      .body = fmt::format("{{\"data\":{},\"topic\":\"{}\"}}\n", question.text, question.name),
      .content_type = "application/json"};
  table_.published(question.name, port_->now());
  if (errands_ == nullptr) {
    table_.receive(question.name, question.text, port_->now());
    send_waiting();
    return port_->answer(asker, std::move(good));
  }
  struct Job {
    Question question;
    Answer answer;
  };
  auto job = std::make_shared<Job>(Job{std::move(question), std::move(good)});
  const bool taken = errands_->submit(
      {.work =
           [this, job] {
             const auto sent = options_.send(job->question.name, job->question.text);
             if (sent) return;
             job->answer = {.status = 503,
                            .body = fmt::format("publish error: {}\n", sent.error().text)};
           },
       .done = [this, job, asker] { port_->answer(asker, std::move(job->answer)); }});
  if (taken) return;
  port_->answer(asker, {.status = 503, .body = "publish error: too many messages are waiting\n"});
}

void TopicsBoard::hear(const RecordView& record) {
  if (record.kind == RecordKind::gap) {
    if (echo_ == Echo::awaited) echo_ = Echo::over;  // it is lost
    table_.interrupted();
    return send_waiting();
  }
  if (record.kind != RecordKind::notify) return;
  const auto notified = archive::decode_notify(record.body);
  if (echo_ == Echo::awaited && notified && notified->channel == options_.echo_channel) {
    echo_ = Echo::over;
    return;
  }
  const auto message = notified ? parse_topic_envelope(notified->payload) : std::nullopt;
  if (message) {
    table_.receive(message->topic, message->data, port_->now());
    send_waiting();
  } else if (options_.on_damaged) {
    options_.on_damaged();
  }
}

void TopicsBoard::send_waiting() {
  while (table_.is_waiting() && port_->has_room()) port_->send(table_.next());
}

// Messages come back in the order in which they were committed, and one connection sends them all:
// after them a last one, the echo, says that they are here.
bool TopicsBoard::drain() {
  if (errands_ != nullptr && echo_ == Echo::none) {
    const bool is_listening = options_.links && options_.links().listening;
    echo_ = options_.echo && is_listening ? Echo::awaited : Echo::over;
    auto outcome = std::make_shared<Result<void>>();
    const auto settle = [this, outcome] {
      if (!*outcome) echo_ = Echo::over;
    };
    if (echo_ == Echo::awaited &&
        !errands_->submit(
            {.work = [this, outcome] { *outcome = options_.echo(); }, .done = settle})) {
      echo_ = Echo::none;  // the queue is full: when it has room
    }
  }
  const bool is_idle = errands_ == nullptr || (echo_ == Echo::over && errands_->outstanding() == 0);
  return is_idle && !table_.is_waiting();
}

bool TopicsBoard::turn() {
  if (errands_ != nullptr) errands_->finish();
  send_waiting();
  return table_.is_waiting();
}

}  // namespace rt::server
