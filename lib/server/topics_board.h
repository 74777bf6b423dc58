// The topics surface in the hub: messages come from NOTIFY, or from here without a database.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/board.h"
#include "server/errands.h"
#include "server/topic_table.h"

namespace rt::server {

class TopicsBoard final : public Board {
 public:
  // Sends one message to every instance, this one included; may block, says why it failed.
  using Send = std::function<Result<void>(const std::string& topic, const std::string& data)>;

  struct Options {
    TopicTable::Options table;
    Send send;  // empty: messages stay in this server
    // As send(), to nobody but this instance: what it sent before has arrived when this does. Comes
    // back as a notification on this channel.
    std::function<Result<void>()> echo;
    std::string echo_channel;
    std::function<TopicTable::Links()> links;  // thread-safe; empty: no database
    std::function<void()> on_damaged;          // a notification that is no message
  };
  explicit TopicsBoard(Options options) : options_(std::move(options)), table_(options_.table) {}

  Result<void> open(BoardPort& port) override;
  void join(const Asker& subscriber, const Opening& opening) override;
  void part(const Asker& subscriber, const Hash128& target, bool gzip) override;
  void missed(const Hash128& target) override { table_.dropped(target); }
  void ask(const Asker& asker, Question question) override;
  void hear(const RecordView& record) override;
  bool turn() override;
  bool drain() override;
  void tidy() override { table_.forget_idle(port_->now()); }

 private:
  void publish(const Asker& asker, Question question);
  void send_waiting();

  // Of the last thing sent: has it come back, and with it all before it?
  enum class Echo : std::uint8_t { none, awaited, over };

  Options options_;
  TopicTable table_;
  BoardPort* port_ = nullptr;
  std::unique_ptr<Errands> errands_;  // or null: without `send`
  Echo echo_ = Echo::none;
};

}  // namespace rt::server
