#include "pg/pipeline.h"

#include <libpq-fe.h>

#include "pg/server_error.h"

namespace rt {

namespace {

constexpr std::string_view kAttempt = "cannot run a statement";

void point_at(std::vector<const char*>& values, const Parameters& parameters) {
  values.clear();
  for (const auto& parameter : parameters) {
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
}

}  // namespace

Error Pipeline::lost(std::string_view attempt) const {
  return connection_error(attempt, connection_.endpoint(), connection_.get());
}

Result<Pipeline> Pipeline::start(Connection connection) {
  Pipeline pipeline(std::move(connection));
  RT_CHECKED(pipeline.enter());
  return pipeline;
}

Result<void> Pipeline::enter() {
  if (PQenterPipelineMode(connection_.get()) == 0) return fail(lost("cannot start pipeline mode"));
  return {};
}

Result<void> Pipeline::leave() {
  if (PQexitPipelineMode(connection_.get()) == 0) return fail(lost("cannot end pipeline mode"));
  between_statements_ = false;
  return {};
}

Result<void> Pipeline::prepare(const std::string& name, const std::string& sql,
                               std::span<const std::uint32_t> types) {
  if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), static_cast<int>(types.size()),
                    types.data()) == 0) {
    return fail(lost("cannot prepare a statement"));
  }
  return {};
}

Result<void> Pipeline::send_query_params(const std::string& sql, const Parameters& parameters) {
  point_at(values_, parameters);
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values_.size()), nullptr,
                        values_.data(), nullptr, nullptr, /*resultFormat=*/0) == 0) {
    return fail(lost(kAttempt));
  }
  return {};
}

Result<void> Pipeline::send_prepared(const std::string& name, const Parameters& parameters) {
  point_at(values_, parameters);
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values_.size()),
                          values_.data(), nullptr, nullptr, /*resultFormat=*/0) == 0) {
    return fail(lost(kAttempt));
  }
  return {};
}

Result<void> Pipeline::send_prepared(const std::string& name, const PipelineValues& parameters) {
  if (PQsendQueryPrepared(connection_.get(), name.c_str(),
                          static_cast<int>(parameters.values.size()), parameters.values.data(),
                          parameters.lengths.data(), parameters.formats.data(),
                          /*resultFormat=*/0) == 0) {
    return fail(lost(kAttempt));
  }
  return {};
}

Result<void> Pipeline::sync() {
  if (PQpipelineSync(connection_.get()) == 0) return fail(lost(kAttempt));
  return {};
}

Result<void> Pipeline::request_answers() {
  if (PQsendFlushRequest(connection_.get()) == 0) return fail(lost(kAttempt));
  return {};
}

Result<bool> Pipeline::flush() {
  const int rc = PQflush(connection_.get());
  if (rc < 0) return fail(lost(kAttempt));
  return rc == 0;
}

Result<void> Pipeline::consume_input() {
  if (PQconsumeInput(connection_.get()) == 0) return fail(lost(kAttempt));
  return {};
}

Result<std::optional<PipelineResult>> Pipeline::next() {
  while (PQisBusy(connection_.get()) == 0) {
    Rows rows(PQgetResult(connection_.get()));
    if (rows.get() == nullptr) {
      // One null ends each statement; two in a row: nothing is outstanding.
      if (between_statements_) return std::nullopt;
      between_statements_ = true;
      continue;
    }
    between_statements_ = false;
    PipelineResult result;
    switch (PQresultStatus(rows.get())) {
      case PGRES_PIPELINE_SYNC:
        between_statements_ = true;  // no null follows a sync
        result.kind = PipelineResult::Kind::sync;
        break;
      case PGRES_PIPELINE_ABORTED:
        result.kind = PipelineResult::Kind::aborted;
        break;
      case PGRES_FATAL_ERROR:
      case PGRES_BAD_RESPONSE:
        if (PQstatus(connection_.get()) == CONNECTION_BAD) return fail(lost(kAttempt));
        result.kind = PipelineResult::Kind::failed;
        result.error = server_error(kAttempt, connection_.endpoint(), rows.get());
        result.rows = std::move(rows);
        break;
      default:
        result.rows = std::move(rows);
        break;
    }
    return result;
  }
  return std::nullopt;
}

}  // namespace rt
