// Schedules of pg-boss: a row each, which pg-boss itself turns into jobs at its minute. One of its
// instances must run with scheduling on.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pg/connection.h"
#include "pg/job_schema.h"

namespace rt {

struct JobSchedule {
  std::string queue;
  std::string cron;  // cron_check.h
  std::string time_zone = "UTC";
  std::optional<std::string> data;  // JSON; nullopt: NULL
  std::string key;                  // tells the schedules of a queue apart; version 24 has none
};

// Writes it, in place of the one with the same queue and key; true if there was none.
// Code::usage: the expression, the time zone or the key cannot be. Code::refused: there is no such
// queue, or the schema is not written.
Result<bool> write_job_schedule(Connection& connection, const JobSchema& schema,
                                const JobSchedule& schedule);

}  // namespace rt
