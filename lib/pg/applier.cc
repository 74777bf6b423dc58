#include "pg/applier.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <variant>

#include "base/text.h"
#include "pg/apply_snapshot.h"
#include "pg/target_table.h"

namespace rt {
namespace {

constexpr const char* kBegin = "rt_begin";
constexpr const char* kCommit = "rt_commit";
constexpr const char* kCommitAndBegin = "rt_commit_and_begin";

Result<void> set_up_session(Connection& connection, const ApplierOptions& options) {
  // Progress and rows are lost together if the server crashes, and applied again: no commit needs
  // to wait for the disk (PostgreSQL's own subscriber does the same). finish() does wait.
  // One plan a statement: with the values of a row in it no plan of ours would be another.
  RT_CHECKED(
      connection.exec("SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan",
                      "cannot prepare the session"));
  if (options.with_triggers) return {};
  return connection.exec("SET session_replication_role = replica", "cannot switch triggers off")
      .map_error([](Error error) {
        return std::move(error).with_hint(
            "GRANT SET ON PARAMETER session_replication_role TO the role, or apply "
            "--with-triggers");
      });
}

}  // namespace

Applier::Applier(const ApplierOptions& options, ApplyWindow window, ApplyProgress progress)
    : on_conflict_(options.on_conflict),
      window_(std::move(window)),
      progress_(std::move(progress)),
      tables_(options.on_conflict),
      applied_lsn_(progress_.lsn()),
      taken_lsn_(applied_lsn_) {}

Applier::~Applier() = default;

Result<std::unique_ptr<Applier>> Applier::open(const ApplierOptions& options, const Clock& clock) {
  ConnectOptions connect;
  connect.application_name = options.application_name;
  connect.cancel_fd = options.cancel_fd;
  connect.pin_settings = true;
  Connection connection = RT_TRY(Connection::connect(options.dsn, connect));
  RT_CHECKED(set_up_session(connection, options));
  ApplyProgress progress = RT_TRY(ApplyProgress::open(connection, options.progress_name, clock));
  ApplyWindow window = RT_TRY(ApplyWindow::start(std::move(connection)));
  auto applier =
      std::unique_ptr<Applier>(new Applier(options, std::move(window), std::move(progress)));
  applier->window_.on_answer(
      [raw = applier.get()](const ApplyStep& step, const Rows& rows) { raw->settle(step, rows); });
  RT_CHECKED(applier->window_.prepare(kBegin, "BEGIN", {}));
  RT_CHECKED(applier->window_.prepare(kCommit, "COMMIT", {}));
  RT_CHECKED(applier->window_.prepare(kCommitAndBegin, "COMMIT AND CHAIN", {}));
  RT_CHECKED(applier->progress_.prepare(applier->window_));
  return applier;
}

Result<void> Applier::take(const pgoutput::Message& message, bool prelude) {
  return std::visit(
      [&](const auto& each) -> Result<void> {
        using Each = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<Each, pgoutput::Relation> ||
                      std::is_same_v<Each, pgoutput::Type>) {
          return tables_.learn(each);
        } else if constexpr (requires { this->apply(each); }) {
          return prelude ? Result<void>() : apply(each);
        } else {
          return {};
        }
      },
      message);
}

Result<void> Applier::apply(const pgoutput::Begin& begin) {
  open_ = true;
  begun_ = false;
  leave_out_ = begin.final_lsn <= taken_lsn_;
  at_ = {begin.final_lsn, 0};
  return {};
}

Result<void> Applier::begin_if_needed() {
  if (std::exchange(begun_, true)) return {};
  // One statement instead of two, for a third of a short transaction's cost.
  if (pending_commit_) return send_commit(kCommitAndBegin);
  arguments_.clear();
  return window_.send(kBegin, arguments_, {ApplyStep::Kind::begin, {}, 0, nullptr, at_, 0});
}

Result<void> Applier::send_commit(const char* statement) {
  const char operation = std::exchange(pending_message_, false) ? 'M' : '\0';
  const ApplyStep step{ApplyStep::Kind::commit, {}, operation, nullptr, *pending_commit_, 0};
  pending_commit_.reset();
  arguments_.clear();
  return window_.send(statement, arguments_, step);
}

Result<void> Applier::commit_pending() {
  return pending_commit_ ? send_commit(kCommit) : Result<void>();
}

Result<void> Applier::apply(const pgoutput::Commit& commit) {
  open_ = false;
  if (leave_out_) {
    ++totals_.known_transactions;
    return {};
  }
  if (!begun_) return {};
  taken_lsn_ = at_.lsn;
  pending_commit_ = Position{at_.lsn, Position::kEnd};
  committed_pg_us_ = commit.commit_time.pg_us;
  return progress_.send(window_, at_.lsn, committed_pg_us_);
}

Result<AppliedTable*> Applier::table_of(std::uint32_t relation) {
  if (!open_) {
    return fail(Code::integrity,
                fmt::format("a row change stands outside a transaction after {}", at_.text()));
  }
  AppliedTable* table = RT_TRY(tables_.find(relation, window_));
  RT_CHECKED(begin_if_needed());
  return table;
}

Result<void> Applier::check_columns(const AppliedTable& table, std::size_t sent) const {
  if (sent == table.target.columns.size()) return {};
  return fail(Code::integrity,
              fmt::format("a row of {} ({}) has {} columns, the table has {}", table.text,
                          at_.text(), sent, table.target.columns.size()));
}

void Applier::read(const pgoutput::TupleView& row, std::vector<pgoutput::Value>& values) {
  values.assign(row.begin(), row.end());
}

Result<void> Applier::apply(const pgoutput::Insert& insert) {
  if (leave_out_) return {};
  AppliedTable* table = RT_TRY(table_of(insert.relation));
  read(insert.row, new_);
  RT_CHECKED(check_columns(*table, new_.size()));
  return send(*table, 'I', {});
}

Result<void> Applier::apply(const pgoutput::Update& update) {
  if (leave_out_) return {};
  AppliedTable* table = RT_TRY(table_of(update.relation));
  read(update.row, new_);
  RT_CHECKED(check_columns(*table, new_.size()));
  read(update.old_row, old_);
  const bool whole_old = update.old_kind == pgoutput::OldRow::full && old_.size() == new_.size();
  form_.has_old = update.old_kind != pgoutput::OldRow::none;
  if (form_.has_old) RT_CHECKED(check_columns(*table, old_.size()));
  form_.given.assign(new_.size(), true);
  for (std::size_t i = 0; i < new_.size(); ++i) {
    if (new_[i].kind != pgoutput::ValueKind::unchanged) continue;
    // A whole old row has the value; without one it stays what it is in the target.
    if (whole_old) new_[i] = old_[i];
    form_.given[i] = new_[i].kind != pgoutput::ValueKind::unchanged;
  }
  find_moves(table->target, whole_old);
  return send(*table, 'U', form_);
}

// Which columns that tell rows apart get other values, as far as both are known.
void Applier::find_moves(const ApplyTarget& target, bool whole_old) {
  form_.moves_always = false;
  const auto moves = [&](std::size_t i) {
    // A key alone says nothing of other columns.
    const bool known = form_.has_old && form_.given[i] && (whole_old || target.columns[i].key);
    return known && new_[i] != old_[i];
  };
  for (std::size_t i = 0; i < new_.size(); ++i) {
    if (target.columns[i].identity_always && moves(i)) form_.moves_always = true;
  }
  form_.moves_key = std::any_of(target.unique.begin(), target.unique.end(), moves) &&
                    std::all_of(target.unique.begin(), target.unique.end(),
                                [&](std::uint16_t i) { return form_.given[i]; });
}

Result<void> Applier::apply(const pgoutput::Delete& gone) {
  if (leave_out_) return {};
  AppliedTable* table = RT_TRY(table_of(gone.relation));
  read(gone.old_row, old_);
  RT_CHECKED(check_columns(*table, old_.size()));
  return send(*table, 'D', {});
}

Result<void> Applier::send(AppliedTable& table, char operation, const UpdateForm& update) {
  const ApplyForm* form = RT_TRY(tables_.form(table, operation, update, window_));
  arguments_.clear();
  for (const ApplyParameter& parameter : form->sql.parameters) {
    const pgoutput::Value& value = (parameter.old ? old_ : new_)[parameter.column];
    switch (value.kind) {
      case pgoutput::ValueKind::text:
        arguments_.add_text(value.bytes);
        break;
      case pgoutput::ValueKind::binary:
        arguments_.add_binary(value.bytes);
        break;
      default:
        arguments_.add_null();
    }
  }
  ++totals_.rows;
  const ApplyStep step{ApplyStep::Kind::row, form->sql.answer, operation, &table.text, at_, 0};
  ++at_.index;
  return window_.send(form->name, arguments_, step);
}

Result<void> Applier::apply(const pgoutput::Truncate& truncate) {
  if (leave_out_) return {};
  std::string tables;
  AppliedTable* first = nullptr;
  for (std::size_t i = 0; i < truncate.relations.size(); ++i) {
    AppliedTable* table = RT_TRY(table_of(truncate.relations[i]));
    if (first == nullptr) first = table;
    tables += (tables.empty() ? "" : ", ") + table->target.quoted;
  }
  if (first == nullptr) return {};
  const ApplyStep step{ApplyStep::Kind::other, {}, 'T', &first->text, at_, 0};
  at_.index += static_cast<std::uint32_t>(truncate.relations.size());
  totals_.rows += truncate.relations.size();
  // Every table that the cascade reached and that is recorded stands in the list; what is not
  // recorded is not emptied unasked, as PostgreSQL's own subscriber has it.
  return window_.send_sql(
      fmt::format("TRUNCATE {}{}", tables, truncate.restart_identity() ? " RESTART IDENTITY" : ""),
      {}, step);
}

// A message outside of transactions gets one here, which brings progress to it: so it is sent again
// only if the server dies between the two. Its LSN is the end of its record, where the commit of
// the next transaction may begin: progress stays one byte before.
Result<void> Applier::apply(const pgoutput::LogicalMessage& message) {
  if (message.transactional() ? leave_out_ : message.lsn <= taken_lsn_ + 1) return {};
  const bool alone = !open_;
  if (alone) RT_CHECKED(commit_pending());
  if (alone) begun_ = false;
  RT_CHECKED(begin_if_needed());
  std::string hex = "\\x";
  hex.resize(2 + 2 * message.content.size());
  for (std::size_t i = 0; i < message.content.size(); ++i) {
    write_hex(&hex[2 + 2 * i], static_cast<std::uint8_t>(message.content[i]), 2);
  }
  ++totals_.messages;
  // Progress is remembered by a commit, and only a transaction with an id writes one.
  RT_CHECKED(window_.send_sql(
      "SELECT pg_catalog.pg_current_xact_id(), "
      "pg_catalog.pg_logical_emit_message($1::boolean, $2::text, $3::bytea)",
      {message.transactional() ? "true" : "false", std::string(message.prefix), std::move(hex)},
      {ApplyStep::Kind::other, {}, 'M', nullptr, at_, 0}));
  if (!alone) return {};
  taken_lsn_ = message.lsn - 1;
  pending_commit_ = Position{taken_lsn_, Position::kEnd};
  pending_message_ = true;
  return progress_.send(window_, taken_lsn_, committed_pg_us_);
}

void Applier::settle(const ApplyStep& step, const Rows& rows) {
  using Answer = ApplySql::Answer;
  if (step.kind == ApplyStep::Kind::commit) {
    if (step.operation != 'M') ++totals_.transactions;
    applied_lsn_ = step.at.lsn;
    return;
  }
  if (step.kind != ApplyStep::Kind::row) return;
  switch (step.answer) {
    case Answer::plain:
    case Answer::fails_missing:
      break;
    case Answer::overwrote:
      if (rows.size() == 0) {
        note_conflict(totals_.already_equal, step);
      } else if (rows.text(0, 0) == "t") {
        note_conflict(totals_.overwritten, step);
      }
      break;
    case Answer::zero_kept:
      if (rows.affected() == 0) note_conflict(totals_.kept, step);
      break;
    case Answer::zero_missing:
      if (rows.affected() == 0) note_conflict(totals_.missing, step);
      break;
    case Answer::one_restored:
      if (rows.affected() > 0) note_conflict(totals_.restored, step);
      break;
    case Answer::moved:
      settle_moved(step, rows);
      break;
  }
}

void Applier::settle_moved(const ApplyStep& step, const Rows& rows) {
  const bool in_the_way = rows.text(0, 0) != "0";
  const bool updated = rows.text(0, 1) != "0";
  const bool inserted = rows.text(0, 2) != "0";
  if (in_the_way) {
    note_conflict(on_conflict_ == OnConflict::upsert ? totals_.overwritten : totals_.kept, step);
  }
  if (updated || (in_the_way && !inserted)) return;
  note_conflict(inserted ? totals_.restored : totals_.missing, step);
}

void Applier::note_conflict(std::uint64_t& counter, const ApplyStep& step) {
  if (totals_.conflicts() == 0) {
    const char* what = step.operation == 'I'   ? "insert into"
                       : step.operation == 'U' ? "update of"
                                               : "delete from";
    totals_.first_conflict = fmt::format("{} {} ({})", what, *step.table, step.at.text());
  }
  ++counter;
}

Result<void> Applier::snapshot_begin(std::uint64_t consistent_point) {
  inside_snapshot_ = true;
  snapshot_.reset();
  // Transactions from the consistent point on follow it: it stands just before them.
  at_ = {consistent_point > 0 ? consistent_point - 1 : 0, Position::kEnd};
  if (taken_lsn_ > 0 && taken_lsn_ >= at_.lsn) return {};  // applied before
  RT_CHECKED(commit_pending());
  Connection* connection = RT_TRY(window_.leave());
  snapshot_ = RT_TRY(Snapshot::start(*connection, tables_, on_conflict_, applied_lsn_ > 0));
  return {};
}

Result<void> Applier::snapshot_row(std::uint32_t relation, std::string_view line) {
  if (snapshot_ == nullptr) return {};
  ++totals_.snapshot_rows;
  return snapshot_->put(relation, line);
}

Result<void> Applier::snapshot_end() {
  inside_snapshot_ = false;
  if (snapshot_ == nullptr) return {};
  RT_CHECKED(snapshot_->finish(progress_, at_.lsn));
  applied_lsn_ = at_.lsn;
  taken_lsn_ = at_.lsn;
  if (snapshot_->conflicts() > 0) {
    const bool wins = on_conflict_ == OnConflict::upsert;
    if (totals_.conflicts() == 0) totals_.first_conflict = "row of the snapshot";
    (wins ? totals_.overwritten : totals_.kept) += snapshot_->conflicts();
  }
  snapshot_.reset();
  return window_.rejoin();
}

Result<void> Applier::flush() {
  if (inside_snapshot_) return {};
  RT_CHECKED(commit_pending());
  return window_.flush();
}

Result<void> Applier::finish() {
  // Cut off in the middle: nothing of it stays. The connection ends with us.
  if (snapshot_ != nullptr) return {};
  RT_CHECKED(commit_pending());
  Connection* connection = RT_TRY(window_.leave());
  // A stop may have come in the middle of a transaction, which will come again from its start.
  if (open_ && begun_) RT_CHECKED(connection->exec("ROLLBACK", "cannot end the transaction"));
  for (const auto& [oid, table] : tables_.used()) {
    totals_.sequences += RT_TRY(move_sequences(*connection, table->name));
  }
  return progress_.make_durable(*connection);
}

}  // namespace rt
