// The run under way over HTTP, for a browser and for Prometheus: GET / is a page, /live.json its
// data, /metrics the figures of the moment. A thread of its own; publish() only hands over, so that
// whoever looks never holds up the run.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/poller.h"
#include "io/wakeup.h"
#include "load/engine.h"
#include "proto/http1_request.h"

namespace rt::rtbench {

class LiveServer {
 public:
  // address: "127.0.0.1:8090"; port 0 picks one.
  static Result<std::unique_ptr<LiveServer>> start(const std::string& address,
                                                   const std::string& scenario, const Clock& clock);
  ~LiveServer();

  const std::string& url() const { return url_; }
  void publish(const EngineProgress& progress);

 private:
  // A page, a few tabs and a scraper; more is no person looking.
  static constexpr std::size_t kClientsMax = 64;
  // Seconds kept for the page: an hour.
  static constexpr std::size_t kSecondsMax = 3'600;

  struct Client {
    Fd socket;
    http1::RequestParser parser;
    std::string answer;
    std::size_t sent = 0;
  };

  LiveServer(Fd listener, io::Poller poller, io::Wakeup wakeup, std::string url,
             std::string scenario, const Clock& clock);
  void run();
  void accept_all();
  void serve(std::uint64_t token, const io::Ready& ready);
  bool read_request(Client& client);
  bool send_answer(Client& client);
  std::string answer_to(const http1::RequestHead& head);
  std::string live_json();
  std::string metrics();

  Fd listener_;
  io::Poller poller_;
  io::Wakeup wakeup_;
  const std::string url_;
  const std::string scenario_;
  const Clock& clock_;
  std::mutex mutex_;  // of the three below
  EngineProgress now_;
  std::vector<SecondSample> seconds_;
  SecondSample totals_;
  std::map<std::uint64_t, Client> clients_;  // the thread's
  std::uint64_t next_token_ = 2;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

extern const std::string_view kLivePage;

}  // namespace rt::rtbench
