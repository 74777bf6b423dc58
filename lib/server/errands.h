// Work that takes its time (a command to a database), done on a thread of its own while the hub
// goes on. One Errands a back end, so that a slow one holds up nobody else's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/result.h"
#include "io/spsc_ring.h"
#include "io/wakeup.h"

namespace rt::server {

struct Errand {
  std::function<void()> work;  // on the errands' thread; may wait
  std::function<void()> done;  // on the hub's, afterwards
};

class Errands {
 public:
  // hub: rung when errands are done.
  static Result<std::unique_ptr<Errands>> start(io::Wakeup& hub);
  ~Errands();  // what was not begun is not done

  // Hub thread. False: more are waiting than the queue holds; the errand is untouched.
  bool submit(Errand&& errand);
  // Hub thread: calls done() of each errand that is.
  void finish();
  // Hub thread: submitted, and not finished.
  std::size_t outstanding() const { return outstanding_; }

 private:
  // An errand takes about 0.1 ms; a client that waits behind this many has waited long enough.
  static constexpr std::size_t kQueueMax = 4096;

  Errands(io::Wakeup& hub, io::Wakeup own) : hub_(hub), own_(std::move(own)) {}
  void run(const std::stop_token& stop);

  io::Wakeup& hub_;
  io::Wakeup own_;
  io::SpscRing<Errand> waiting_{kQueueMax};
  io::SpscRing<Errand> done_{2 * kQueueMax};  // never full: what is out is bounded by outstanding_
  std::size_t outstanding_ = 0;
  std::jthread thread_;
};

}  // namespace rt::server
