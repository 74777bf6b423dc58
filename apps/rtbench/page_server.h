// A few pages over HTTP, for whoever looks at a run: each request is a GET that is answered at
// once, and then the connection ends. A thread of its own, so that whoever looks never holds up the
// run.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "io/poller.h"
#include "io/wakeup.h"
#include "proto/http1_request.h"

namespace rt::rtbench {

struct Page {
  std::string_view status = "200 OK";
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
};

class PageServer {
 public:
  // Called on the server's thread, for requests whose method is GET.
  using Answer = std::function<Page(const http1::RequestHead&)>;

  // address: "127.0.0.1:8090"; port 0 picks one.
  static Result<std::unique_ptr<PageServer>> start(const std::string& address, Answer answer,
                                                   const Clock& clock);
  ~PageServer();

  const std::string& url() const { return url_; }

 private:
  // A page, a few tabs and a scraper, or the shards of a run; the oldest makes room.
  static constexpr std::size_t kClientsMax = 1'024;

  struct Client {
    Fd socket;
    http1::RequestParser parser;
    std::string answer;
    std::size_t sent = 0;
  };

  PageServer(Fd listener, io::Poller poller, io::Wakeup wakeup, std::string url, Answer answer,
             const Clock& clock);
  void run();
  void accept_all();
  void serve(std::uint64_t token, const io::Ready& ready);
  bool read_request(Client& client);
  bool send_answer(Client& client);

  Fd listener_;
  io::Poller poller_;
  io::Wakeup wakeup_;
  const std::string url_;
  const Answer answer_;
  const Clock& clock_;
  std::map<std::uint64_t, Client> clients_;  // the thread's
  std::uint64_t next_token_ = 2;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace rt::rtbench
