// `rtctl serve`: the end of what hangs on others: a database, Redis, a name server. Each of it is
// told to stop; what does not come back in time is named and left behind, so that the process ends
// whoever else stands still. docs/serving.md, "Draining".
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace rt::rtctl {

class Ending {
 public:
  Ending() = default;
  ~Ending();  // waits: who does not want to leaves the process before
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  // Runs `step` on a thread of its own. name: of what it ends, for people.
  void begin(std::string_view name, std::function<void()> step);
  // Until all steps are over, at most so long. True: they are.
  bool wait(Duration patience);
  // The steps that are not over: "topics,jobs".
  std::string unfinished() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable step_over_;
  std::vector<std::string> running_;
  std::vector<std::thread> threads_;
};

// Ends the process as it is: what was said is written, nothing more is waited for.
[[noreturn]] void leave(int status);

}  // namespace rt::rtctl
