// A board that tells each of its subscribers whatever is posted, one by one. A stream whose opening
// has a name is held: it never begins.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/board.h"

namespace rt::test {

using server::Asker;
using server::BoardPort;
using server::Hash128;
using server::Opening;
using server::Question;

class TellingBoard final : public server::Board {
 public:
  Result<void> open(BoardPort& port) override {
    port_ = &port;
    return {};
  }
  void join(const Asker& subscriber, const Opening& opening) override {
    if (!opening.name.empty()) return;
    subscribers_.push_back(subscriber);
    port_->tell(subscriber, {});
  }
  void part(const Asker& subscriber, const Hash128&, bool) override {
    std::erase_if(subscribers_, [&](const Asker& each) {
      return each.shard == subscriber.shard && each.connection.slot == subscriber.connection.slot;
    });
  }
  void ask(const Asker& asker, Question question) override {
    for (const Asker& each : subscribers_) port_->tell(each, question.text);
    port_->answer(asker, {.body = std::to_string(subscribers_.size()) + " told\n"});
  }
  void hear(const RecordView&) override {}

 private:
  BoardPort* port_ = nullptr;
  std::vector<Asker> subscribers_;
};

}  // namespace rt::test
