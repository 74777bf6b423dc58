// libpq's pipeline mode: many statements in flight on one connection, results read while sending.
// PostgreSQL documentation, "Pipeline Mode". For a producer that must not wait for each round trip.
//
// Nothing here blocks. A user polls socket() for reading (and for writing while flush() says so),
// calls consume_input() when it is readable, then next() until it has nothing. Keep at most some
// hundred statements between two syncs: libpq moves its whole backlog about when it grows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "pg/connection.h"

namespace rt {

struct PipelineResult {
  enum class Kind {
    statement,  // one statement succeeded; rows holds what it returned
    failed,     // one statement failed; what follows up to the next sync is aborted
    aborted,    // not run, because an earlier one of its group failed
    sync,       // the end of a group
  };
  Kind kind = Kind::statement;
  Rows rows;
  std::optional<Error> error;  // of failed; rows then holds what the server said
};

// Parameters as libpq takes them, in memory of the caller's. Each list has the same length.
struct PipelineValues {
  std::span<const char* const> values;  // ended by NUL if text; null pointer: NULL
  std::span<const int> lengths;         // of binary ones
  std::span<const int> formats;         // 0 text, 1 binary
};

// One thread. Statements are answered in the order in which they were sent.
class Pipeline {
 public:
  // Takes the connection over and enters pipeline mode.
  static Result<Pipeline> start(Connection connection);

  // types: OIDs of the parameters; empty: the server infers them.
  Result<void> prepare(const std::string& name, const std::string& sql,
                       std::span<const std::uint32_t> types = {});
  Result<void> send_query_params(const std::string& sql, const Parameters& parameters);
  Result<void> send_prepared(const std::string& name, const Parameters& parameters);
  Result<void> send_prepared(const std::string& name, const PipelineValues& parameters);
  // Ends a group: the server commits it (outside an explicit transaction) and answers with a sync.
  Result<void> sync();

  // Asks for the answers to what was sent so far, and ends nothing: what follows a failed statement
  // is still aborted.
  Result<void> request_answers();

  // Sends what the socket takes; true when everything is out.
  Result<bool> flush();
  // After the socket became readable.
  Result<void> consume_input();
  // The next answer that has arrived, nullopt if none has.
  Result<std::optional<PipelineResult>> next();

  // Leaves pipeline mode, and enters it again: in between the connection takes ordinary queries.
  // Every answer must have been read.
  Result<void> leave();
  Result<void> enter();

  int socket() const { return connection_.socket(); }
  Connection& connection() { return connection_; }

 private:
  explicit Pipeline(Connection connection) : connection_(std::move(connection)) {}
  Error lost(std::string_view attempt) const;

  Connection connection_;
  std::vector<const char*> values_;  // kept, so that sending allocates nothing of ours
  bool between_statements_ = false;  // a null result, which ends each statement, has been seen
};

}  // namespace rt
