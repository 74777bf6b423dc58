// One line for a person, and a Code for the caller, from what PostgreSQL or libpq says went wrong.
// SQLSTATE values: PostgreSQL documentation, appendix "PostgreSQL Error Codes".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace rt {

// unreachable: trying again later may help; refused: a person must act. "" means that no server
// spoke.
Code code_for_sqlstate(std::string_view sqlstate);
// What to do about it, or "".
std::string_view hint_for_sqlstate(std::string_view sqlstate);

// "localhost:5432/app" or "/run/postgresql:5432/app"; never a password.
std::string endpoint_text(const pg_conn* connection);

// "<attempt> on <endpoint>: <reason> (<SQLSTATE>)".
Error server_error(std::string_view attempt, std::string_view endpoint, const pg_result* result);
// The connection itself failed: there is no result, only libpq's text.
Error connection_error(std::string_view attempt, std::string_view endpoint,
                       const pg_conn* connection);

// Splits libpq's verbose text ("... FATAL:  28P01: password authentication failed ...\nLOCATION:
// ...") into the reason and its SQLSTATE ("" if there is none). Pure.
struct ServerMessage {
  std::string reason;
  std::string sqlstate;
};
ServerMessage split_verbose_message(std::string_view text);

}  // namespace rt
