#include "pg/apply_window.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cstring>

#include "base/text.h"
#include "pg/server_error.h"

namespace rt {
namespace {

constexpr std::string_view kAttempt = "cannot apply";

const char* operation_text(char operation) {
  switch (operation) {
    case 'I':
      return "insert into";
    case 'U':
      return "update of";
    case 'D':
      return "delete from";
    case 'T':
      return "truncate of";
    default:
      return "logical message";
  }
}

}  // namespace

void ApplyArguments::clear() {
  bytes_.clear();
  entries_.clear();
}

void ApplyArguments::add(std::string_view bytes, int format) {
  entries_.push_back({bytes_.size(), static_cast<int>(bytes.size()), format});
  bytes_.append(bytes);
  bytes_ += '\0';
}

void ApplyArguments::add_int64(std::uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  add_binary({bytes, sizeof bytes});
}

PipelineValues ApplyArguments::values() {
  values_.clear();
  lengths_.clear();
  formats_.clear();
  for (const Entry& entry : entries_) {
    values_.push_back(entry.offset == kNull ? nullptr : bytes_.data() + entry.offset);
    lengths_.push_back(entry.length);
    formats_.push_back(entry.format);
  }
  return {values_, lengths_, formats_};
}

Result<ApplyWindow> ApplyWindow::start(Connection connection) {
  return ApplyWindow(RT_TRY(Pipeline::start(std::move(connection))));
}

Result<void> ApplyWindow::prepare(const std::string& name, const std::string& sql,
                                  std::span<const std::uint32_t> types) {
  RT_CHECKED(make_room());
  RT_CHECKED(pipeline_.prepare(name, sql, types));
  return sent({}, sql.size());
}

Result<void> ApplyWindow::send(const std::string& name, ApplyArguments& arguments, ApplyStep step) {
  RT_CHECKED(make_room());
  RT_CHECKED(pipeline_.send_prepared(name, arguments.values()));
  return sent(step, arguments.bytes());
}

Result<void> ApplyWindow::send_sql(const std::string& sql, const Parameters& parameters,
                                   ApplyStep step) {
  RT_CHECKED(make_room());
  RT_CHECKED(pipeline_.send_query_params(sql, parameters));
  return sent(step, sql.size());
}

Result<void> ApplyWindow::make_room() {
  // Room for a whole group at once, so that reading is not done row by row.
  if (steps_.size() < kStepsMax && bytes_ < kBytesMax) return {};
  if (group_steps_ > 0) RT_CHECKED(request_answers());
  while (steps_.size() > kStepsMax - kGroupSteps || bytes_ > kBytesMax - kGroupBytes) {
    RT_CHECKED(wait_for_answers());
  }
  return {};
}

Result<void> ApplyWindow::sent(ApplyStep step, std::size_t bytes) {
  step.bytes = static_cast<std::uint32_t>(bytes);
  steps_.push_back(step);
  bytes_ += step.bytes;
  group_bytes_ += step.bytes;
  if (++group_steps_ >= kGroupSteps || group_bytes_ >= kGroupBytes) return request_answers();
  return {};
}

Result<void> ApplyWindow::request_answers() {
  group_steps_ = 0;
  group_bytes_ = 0;
  RT_CHECKED(pipeline_.request_answers());
  RT_TRY(pipeline_.flush());
  return {};
}

Result<void> ApplyWindow::collect() {
  while (auto answer = RT_TRY(pipeline_.next())) {
    if (answer->kind == PipelineResult::Kind::sync) {
      sync_pending_ = false;
      continue;
    }
    if (steps_.empty()) continue;
    const ApplyStep step = steps_.front();
    steps_.pop_front();
    bytes_ -= step.bytes;
    if (answer->kind == PipelineResult::Kind::failed) return fail(explain(step, answer->rows));
    if (answer->kind == PipelineResult::Kind::statement && settle_) settle_(step, answer->rows);
  }
  return {};
}

Result<void> ApplyWindow::wait_for_answers() {
  const bool out = RT_TRY(pipeline_.flush());
  const short events = out ? POLLIN : POLLIN | POLLOUT;
  RT_TRY(pipeline_.connection().wait(events, Instant::max(), kAttempt));
  RT_CHECKED(pipeline_.consume_input());
  return collect();
}

Result<void> ApplyWindow::flush() {
  if (group_steps_ > 0) RT_CHECKED(request_answers());
  while (!RT_TRY(pipeline_.flush())) {
    RT_TRY(pipeline_.connection().wait(POLLIN | POLLOUT, Instant::max(), kAttempt));
    RT_CHECKED(pipeline_.consume_input());
    RT_CHECKED(collect());
  }
  return {};
}

Result<void> ApplyWindow::drain() {
  RT_CHECKED(pipeline_.sync());
  sync_pending_ = true;
  RT_CHECKED(flush());
  RT_CHECKED(collect());
  while (!steps_.empty() || sync_pending_) RT_CHECKED(wait_for_answers());
  return {};
}

Result<Connection*> ApplyWindow::leave() {
  RT_CHECKED(drain());
  RT_CHECKED(pipeline_.leave());
  return &pipeline_.connection();
}

Error ApplyWindow::explain(const ApplyStep& step, const Rows& rows) {
  std::string what = fmt::format("{} transaction {}", kAttempt, lsn_text(step.at.lsn));
  if (step.kind == ApplyStep::Kind::row || step.kind == ApplyStep::Kind::other) {
    what = fmt::format("{} {} {} ({})", kAttempt, operation_text(step.operation),
                       step.table != nullptr ? *step.table : "", step.at.text());
  } else if (step.kind == ApplyStep::Kind::setup) {
    what = fmt::format("{}: cannot prepare a statement", kAttempt);
  }
  const char* state = PQresultErrorField(rows.get(), PG_DIAG_SQLSTATE);
  if (step.answer == ApplySql::Answer::fails_missing && state != nullptr &&
      std::strcmp(state, "22012") == 0) {
    return Error{Code::refused, fmt::format("{} on {}: there is no such row", what, endpoint()),
                 "--on-conflict upsert, fill or skip goes on"};
  }
  Error error = server_error(what, endpoint(), rows.get());
  if (state != nullptr && std::strcmp(state, "23505") == 0) {
    error.hint =
        "--on-conflict upsert, fill or skip goes on where a row with the same key is there";
  }
  return error;
}

}  // namespace rt
