// Statements under way to a database: sent ahead of their answers, which are read while sending.
// Bounded in number and in bytes, because libpq moves its whole backlog about when it grows.
// PostgreSQL documentation, "Pipeline Mode".
//
// After a failed statement the server discards what follows it up to the next sync. So a sync is
// only sent when nothing will follow before its answer: else transactions behind a failed one would
// be committed without it. Each commit is settled by its own answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.h"
#include "base/result.h"
#include "pg/apply_sql.h"
#include "pg/pipeline.h"

namespace rt {

// The parameters of one statement, gathered in memory that is used again.
class ApplyArguments {
 public:
  void clear();
  void add_null() { entries_.push_back({kNull, 0, 0}); }
  void add_text(std::string_view text) { add(text, 0); }
  void add_binary(std::string_view bytes) { add(bytes, 1); }
  void add_int64(std::uint64_t value);  // binary: pg_lsn, timestamptz, bigint
  std::size_t bytes() const { return bytes_.size(); }
  // Valid until the next add or clear.
  PipelineValues values();

 private:
  static constexpr std::size_t kNull = ~std::size_t{0};
  struct Entry {
    std::size_t offset;
    int length;
    int format;
  };
  void add(std::string_view bytes, int format);

  std::string bytes_;  // each value ended by NUL
  std::vector<Entry> entries_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

// What is under way, and what its answer will be held against.
struct ApplyStep {
  enum class Kind : std::uint8_t { setup, begin, row, other, progress, commit };
  Kind kind = Kind::setup;
  ApplySql::Answer answer = ApplySql::Answer::plain;
  char operation = 0;                  // I U D T M of a row or another change
  const std::string* table = nullptr;  // of it, for people; outlives the answer
  Position at;                         // where it stands in the source
  std::uint32_t bytes = 0;
};

// One thread.
class ApplyWindow {
 public:
  // Called with each answer, in order. Of a statement that failed only the error is left: it ends
  // whatever called into the window.
  using Settle = std::function<void(const ApplyStep& step, const Rows& rows)>;

  static Result<ApplyWindow> start(Connection connection);
  void on_answer(Settle settle) { settle_ = std::move(settle); }

  // Each waits until there is room.
  Result<void> prepare(const std::string& name, const std::string& sql,
                       std::span<const std::uint32_t> types);
  Result<void> send(const std::string& name, ApplyArguments& arguments, ApplyStep step);
  Result<void> send_sql(const std::string& sql, const Parameters& parameters, ApplyStep step);

  // Everything is with the server's kernel, and will be answered soon.
  Result<void> flush();
  // Everything is answered.
  Result<void> drain();
  // Drains, then lends the connection for ordinary queries until rejoin().
  Result<Connection*> leave();
  Result<void> rejoin() { return pipeline_.enter(); }

  const std::string& endpoint() { return pipeline_.connection().endpoint(); }

 private:
  // Unanswered at most. More gains nothing once the server never waits for us.
  static constexpr std::size_t kStepsMax = 256;
  static constexpr std::size_t kBytesMax = 1024 * 1024;
  // Answers are asked for after so many, and come while the next are sent.
  static constexpr std::size_t kGroupSteps = 128;
  static constexpr std::size_t kGroupBytes = 256 * 1024;

  explicit ApplyWindow(Pipeline pipeline) : pipeline_(std::move(pipeline)) {}
  Result<void> make_room();
  Result<void> sent(ApplyStep step, std::size_t bytes);
  Result<void> request_answers();
  Result<void> collect();
  Result<void> wait_for_answers();
  Error explain(const ApplyStep& step, const Rows& rows);

  Pipeline pipeline_;
  Settle settle_;
  std::deque<ApplyStep> steps_;  // unanswered, in order
  std::size_t bytes_ = 0;        // of them
  bool sync_pending_ = false;
  std::size_t group_steps_ = 0;  // since answers were last asked for
  std::size_t group_bytes_ = 0;
};

}  // namespace rt
