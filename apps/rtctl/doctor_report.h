// What `rtctl doctor` prints. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rtctl/doctor_check.h"

namespace rt::rtctl {

struct Diagnosis {
  std::size_t number = 0;  // of the check, from 1
  const Check* check = nullptr;
  Finding finding;
};

// The checks that `only` selects: numbers, names of checks or of families; empty: all.
// Code::usage on a word that is none of them.
Result<std::vector<std::size_t>> select_checks(const std::vector<std::string>& only);

// One line, and a second with the fix: " 8 heartbeat     ok    longest silence 15.0s".
std::string diagnosis_text(const Diagnosis& diagnosis, bool colour);
// The same for a whole family that was not measured: " - pg             skipped no database".
std::string family_text(const Diagnosis& first, bool colour);
// "21 ok, 2 warnings, 1 failed, 9 skipped"
std::string summary_text(std::span<const Diagnosis> all);
std::string diagnosis_json(std::span<const Diagnosis> all);

// One line as monitoring plugins write it: "OK - ... | ok=21 warn=0 fail=0 skipped=9".
std::string nagios_line(std::span<const Diagnosis> all);
// 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (nothing was checked): the one place where exit codes are
// not those of "rtctl codes".
int nagios_status(std::span<const Diagnosis> all);

}  // namespace rt::rtctl
