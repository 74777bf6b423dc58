// A job of pg-boss put to another state, with the statements of pg-boss itself.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"

namespace rt {

enum class JobChange : std::uint8_t {
  cancel,  // waiting or active -> cancelled; a worker that runs it goes on, and is not heard
  retry,   // failed -> retry with one more attempt; cancelled -> created
};

// Code::refused: there is no such job, or the schema is not written. Code::negative: its state
// allows no such change, or its queue's policy has no room for it.
Result<void> change_job(Connection& connection, const JobSchema& schema, const std::string& id,
                        JobChange change);

}  // namespace rt
