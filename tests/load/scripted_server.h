// A server of event streams on loopback that lies on request, and a producer that feeds it in
// memory. For tests of the load engine: what is published is known, and so is what each subscriber
// should find out about the server.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/position.h"
#include "base/text.h"
#include "io/socket.h"
#include "io/wakeup.h"
#include "load/payload.h"
#include "pipe/commit_times.h"
#include "pipe/event_producer.h"
#include "proto/percent.h"

namespace rt::test {

struct Script {
  // What happens to event number n (from 1, over all topics) on its way to each subscriber.
  enum class Fate { deliver, drop, twice, after_next, cut_in_half };
  std::function<Fate(std::uint64_t)> fate = [](std::uint64_t) { return Fate::deliver; };
  std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  bool chunked = true;
  bool sends_state = false;  // an `initial` event first, unless the subscriber resumes
  std::string state_of;      // not empty: the state of that topic, whatever was asked for
  bool resumes = true;       // honours Last-Event-ID
  bool tells_gap = true;     // an id that it cannot go on from: a comment, and the state
  std::string body;          // sent after the head, instead of a stream
  // Whether an event of `topic` goes to who asked for `asked`.
  std::function<bool(const std::string& asked, const std::string& topic)> brings =
      [](const std::string& asked, const std::string& topic) { return asked == topic; };
  std::uint64_t clients_heard = UINT64_MAX;  // who comes after so many gets no event
};

class ScriptedServer final : public CommitTimes {
 public:
  explicit ScriptedServer(Script script)
      : script_(std::move(script)), wakeup_(std::move(*io::Wakeup::create())) {
    io::Address any = *io::parse_address("127.0.0.1:0");
    listener_ = std::move(*io::listen_on(any, {}));
    port_ = io::local_address(listener_.get())->port();
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() override {
    stopped_ = true;
    wakeup_.ring();
    thread_.join();
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::uint64_t resumed() const { return resumed_; }

  void publish(const std::string& topic, std::string payload) {
    {
      const std::lock_guard lock(mutex_);
      const std::uint64_t lsn = ++last_lsn_;
      inbox_.push_back({topic, std::move(payload), lsn});
      commits_.push_back({lsn, unix_us(clock_.wall())});
    }
    wakeup_.ring();
  }

  void take(std::vector<Commit>& out) override {
    const std::lock_guard lock(mutex_);
    out.insert(out.end(), commits_.begin(), commits_.end());
    commits_.clear();
  }
  std::optional<Error> fault() override { return std::nullopt; }

 private:
  struct Event {
    std::string topic;
    std::string payload;
    std::uint64_t lsn = 0;
  };
  struct Client {
    Fd socket;
    std::string topic;  // empty: the request has not come
    std::string held;   // a frame to be sent after the next
    std::uint64_t number = 0;
  };

  void run() {
    while (!stopped_) {
      std::vector<pollfd> waits{{listener_.get(), POLLIN, 0}, {wakeup_.fd(), POLLIN, 0}};
      for (const Client& client : clients_) waits.push_back({client.socket.get(), POLLIN, 0});
      ::poll(waits.data(), waits.size(), -1);
      if (waits[1].revents != 0) wakeup_.answer();
      for (std::size_t i = clients_.size(); i-- > 0;) {
        if (waits[i + 2].revents != 0) read(i);
      }
      if (waits[0].revents != 0) accept();
      deliver();
    }
  }

  void accept() {
    for (;;) {
      Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      clients_.push_back({std::move(socket), {}, {}, ++accepted_});
      if (::poll(nullptr, 0, 0) != 0) return;
      pollfd more{listener_.get(), POLLIN, 0};
      if (::poll(&more, 1, 0) <= 0) return;
    }
  }

  void read(std::size_t i) {
    char buffer[4096];
    const ssize_t got = ::recv(clients_[i].socket.get(), buffer, sizeof buffer, 0);
    if (got <= 0) {
      clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
    const std::string request(buffer, static_cast<std::size_t>(got));  // one segment on loopback
    Client& client = clients_[i];
    send(client, script_.head);
    if (!script_.body.empty()) {
      send(client, script_.body);
      return;
    }
    client.topic = topic_of(request);
    const std::string key = "Last-Event-ID: ";
    const std::size_t at = request.find(key);
    if (at != std::string::npos && script_.resumes) {
      ++resumed_;
      const auto seen = Position::parse(request.substr(at + key.size(), Position::kTextSize));
      if (seen && seen->lsn <= last_seen_lsn_) {
        for (const Event& event : history_) {
          if (event.topic == client.topic && event.lsn > seen->lsn) frame(client, event, "delta");
        }
      } else if (script_.tells_gap) {
        chunk(client, ": cannot go on from there\n\n");
        send_state(client);
      }
    } else if (script_.sends_state) {
      send_state(client);
    }
  }

  void send_state(Client& client) {
    const std::string& topic = script_.state_of.empty() ? client.topic : script_.state_of;
    Event state{topic, initial_, last_seen_lsn_};
    for (const Event& event : history_) {
      if (event.topic == topic) state = event;
    }
    frame(client, state, "initial");
  }

  static std::string topic_of(const std::string& request) {
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    const std::string decoded = *percent_decode(path);
    const std::size_t run = decoded.find("\"run_id\":\"");
    if (run == std::string::npos) {  // /topics/NAME/events
      return decoded.substr(8, decoded.rfind('/') - 8);
    }
    const std::size_t begin = run + 10;
    return decoded.substr(begin, decoded.find('"', begin) - begin);
  }

  void deliver() {
    std::vector<Event> events;
    {
      const std::lock_guard lock(mutex_);
      events.swap(inbox_);
    }
    for (Event& event : events) {
      last_seen_lsn_ = event.lsn;
      const Script::Fate fate = script_.fate(++count_);
      for (std::size_t i = clients_.size(); i-- > 0;) {
        const Client& client = clients_[i];
        if (client.topic.empty() || client.number > script_.clients_heard) continue;
        if (script_.brings(client.topic, event.topic)) deliver_to(i, event, fate);
      }
      history_.push_back(std::move(event));
    }
  }

  void deliver_to(std::size_t i, const Event& event, Script::Fate fate) {
    Client& client = clients_[i];
    std::string held;
    held.swap(client.held);
    switch (fate) {
      case Script::Fate::drop:
        break;
      case Script::Fate::after_next:
        client.held = text_of(event, "delta");
        break;
      case Script::Fate::twice:
        frame(client, event, "delta");
        [[fallthrough]];
      case Script::Fate::deliver:
        frame(client, event, "delta");
        break;
      case Script::Fate::cut_in_half: {
        const std::string text = text_of(event, "delta");
        chunk(client, text.substr(0, text.size() / 2));
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
        return;
      }
    }
    if (!held.empty()) chunk(client, held);
  }

  static std::string text_of(const Event& event, const std::string& name) {
    return "id: " + Position{event.lsn, 0}.text() + "\nevent: " + name + "\ndata: {\"id\":\"" +
           event.topic + "\",\"data\":" + event.payload + "}\n\n";
  }
  void frame(Client& client, const Event& event, const std::string& name) {
    chunk(client, text_of(event, name));
  }
  void chunk(Client& client, const std::string& text) {
    if (!script_.chunked) {
      send(client, text);
      return;
    }
    std::string size(8, '0');
    write_hex(size.data(), text.size(), 8);
    send(client, size + "\r\n" + text + "\r\n");
  }
  static void send(Client& client, const std::string& text) {
    (void)::send(client.socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

 public:
  void set_initial(std::string payload) { initial_ = std::move(payload); }

 private:
  Script script_;
  SystemClock clock_;
  io::Wakeup wakeup_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::vector<Client> clients_;
  std::vector<Event> history_;
  std::string initial_ = "null";
  std::uint64_t count_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t last_seen_lsn_ = 0x1000;
  std::atomic<std::uint64_t> resumed_{0};
  std::mutex mutex_;
  std::vector<Event> inbox_;
  std::vector<Commit> commits_;
  std::uint64_t last_lsn_ = 0x1000;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

// Publishes straight into a ScriptedServer; every event is accepted at once.
class ScriptedProducer final : public EventProducer {
 public:
  ScriptedProducer(ScriptedServer& server, std::function<std::string(std::uint32_t)> name_of)
      : server_(server), name_of_(std::move(name_of)) {}

  Result<void> prepare(std::uint32_t, const std::function<std::string(std::uint32_t)>&,
                       std::string_view initial) override {
    server_.set_initial(std::string(initial));
    return {};
  }
  void send(std::uint64_t ticket, std::uint32_t topic, std::string_view payload) override {
    server_.publish(name_of_(topic), std::string(payload));
    answers_.push_back({ticket, clock_.now(), true});
  }
  Result<void> turn(Instant until, std::vector<Answer>& answers) override {
    answers.insert(answers.end(), answers_.begin(), answers_.end());
    answers_.clear();
    const auto wait = std::max(until - clock_.now(), Duration::zero());
    const timespec pause{0, static_cast<long>(std::min<std::int64_t>(wait.count(), 5'000'000))};
    ::ppoll(nullptr, 0, &pause, nullptr);
    return {};
  }
  const std::string& first_failure() const override { return none_; }

 private:
  ScriptedServer& server_;
  std::function<std::string(std::uint32_t)> name_of_;
  SystemClock clock_;
  std::vector<Answer> answers_;
  std::string none_;
};

}  // namespace rt::test
