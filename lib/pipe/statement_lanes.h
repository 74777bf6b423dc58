// One prepared statement over several connections in pipeline mode: what producers that write to
// PostgreSQL share. A topic belongs to one connection, so what is sent for it commits in the order
// in which it was sent; each statement is a transaction of its own. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pg/connection.h"
#include "pipe/event_producer.h"

namespace rt {

struct StatementOptions {
  std::string dsn;
  std::string sql;             // changes or returns a row for each ticket
  std::size_t parameters = 1;  // $1 ...
  unsigned connections = 4;
  std::string hint;    // when the statement cannot be prepared
  std::string no_row;  // why a statement that touched fewer rows was not accepted
};

class StatementLanes {
 public:
  // Says a wrong table or column before anything starts.
  static Result<StatementLanes> open(const StatementOptions& options, const Clock& clock);
  StatementLanes(StatementLanes&&) noexcept;
  ~StatementLanes();

  std::size_t count() const { return lanes_.size(); }
  std::size_t lane_of(std::uint32_t topic) const { return topic % lanes_.size(); }
  // Of that lane: to be filled, then send().
  Parameters& parameters(std::size_t lane);
  // One statement for so many events, a row each: accepted or refused together.
  void send(std::span<const std::uint64_t> tickets, std::size_t lane);
  void send(std::uint64_t ticket, std::size_t lane) { send(std::span(&ticket, 1), lane); }
  // As EventProducer::turn().
  Result<void> turn(Instant until, std::vector<EventProducer::Answer>& answers);
  const std::string& first_failure() const { return first_failure_; }

 private:
  struct Lane;  // one connection
  StatementLanes(std::string no_row, std::vector<std::unique_ptr<Lane>> lanes, const Clock& clock);
  Result<void> collect(Lane& lane, std::vector<EventProducer::Answer>& answers);
  void answer(Lane& lane, std::vector<EventProducer::Answer>& answers);
  void note_failure(std::string text);

  std::string no_row_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  const Clock& clock_;
  std::string first_failure_;
  std::optional<Error> fault_;
};

// {a,b} of name_of(from) .. name_of(end - 1).
std::string topic_array(std::uint32_t from, std::uint32_t end,
                        const std::function<std::string(std::uint32_t)>& name_of);
// Rows a statement: large enough to be fast, small enough that a server's memory does not notice.
inline constexpr std::uint32_t kTopicsAStatement = 1'000;

}  // namespace rt
