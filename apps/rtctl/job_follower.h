// Prints what becomes of one job, and knows how it ended. Takes the job's own stream of a server,
// or the row changes of the table of jobs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/position.h"
#include "base/result.h"
#include "proto/job_row.h"
#include "rtctl/event_stream.h"

namespace rt::rtctl {

// The row in the data of a server's event. nullopt: it is none.
std::optional<JobRow> job_of_stream(std::string_view data);
// The new row in the data of a change of the table of jobs (pipe/wal_events.h).
std::optional<JobRow> job_of_change(std::string_view data);

class JobFollower : public EventTaker {
 public:
  JobFollower(std::string id, bool as_json) : id_(std::move(id)), as_json_(as_json) {}

  // The row, if it is news. False: that was the last.
  bool show(const JobRow& row);
  const std::optional<JobRow>& last() const { return last_; }
  // What ended it before the job did.
  const std::optional<Error>& failure() const { return failure_; }

  void on_retry(const StreamRetry& retry) override;

 protected:
  bool stop_with(Error error);
  const std::string& id() const { return id_; }

 private:
  std::string id_;
  bool as_json_;
  std::optional<JobRow> last_;
  std::optional<Error> failure_;
};

// Of GET /jobs/{id}/stream.
class StreamFollower final : public JobFollower {
 public:
  using JobFollower::JobFollower;
  bool on_event(const StreamEvent& event) override;
};

// Of row changes from a slot. Each time the stream is open, the row is read once more: a change
// that came before it shows nothing new.
class ChangeFollower final : public JobFollower {
 public:
  struct Now {
    Position seen;  // changes up to here are in the row
    std::optional<JobRow> row;
  };
  using Look = std::function<Result<Now>()>;
  // stop: called when nothing more is wanted and no event is being taken.
  ChangeFollower(std::string id, bool as_json, Look look, std::function<void()> stop)
      : JobFollower(std::move(id), as_json), look_(std::move(look)), stop_(std::move(stop)) {}

  bool on_event(const StreamEvent& event) override;
  void on_open(bool again) override;

 private:
  Look look_;
  std::function<void()> stop_;
  Position seen_;
};

}  // namespace rt::rtctl
