#include "pg/server_error.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace rt {

namespace {

std::string_view or_empty(const char* text) {
  return text != nullptr ? text : "";
}

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : trim(text)) {
    if (c == '\n' || c == '\t' || c == '\r') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c;
    }
  }
  return line;
}

// libpq's own text: one line per host tried, each perhaps with an indented piece of advice. The
// last host's reason is kept, without the address, which the caller names.
std::string client_reason(std::string_view text) {
  std::string_view reason;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty() && line[0] != '\t') reason = line;
  }
  constexpr std::string_view kFailed = " failed: ";
  if (reason.substr(0, 14) == "connection to ") {
    if (const auto at = reason.find(kFailed); at != reason.npos) {
      reason.remove_prefix(at + kFailed.size());
    }
  }
  return one_line(reason);
}

}  // namespace

Code code_for_sqlstate(std::string_view sqlstate) {
  if (sqlstate.empty()) return Code::unreachable;
  const std::string_view family = sqlstate.substr(0, 2);
  // Connection trouble, too many clients or memory, serialization, shutdown and start-up, object in
  // use.
  if (family == "08" || family == "53" || family == "40" || sqlstate == "55006" ||
      sqlstate == "55P03" || sqlstate.substr(0, 3) == "57P") {
    return Code::unreachable;
  }
  return Code::refused;
}

std::string_view hint_for_sqlstate(std::string_view sqlstate) {
  if (sqlstate == "28P01") {
    return "set PGPASSWORD or put the password into ~/.pgpass; check the user name";
  }
  if (sqlstate == "28000") {
    return "check the user name and the line for this database and for replication in pg_hba.conf";
  }
  if (sqlstate == "3D000") return "create it with createdb, or name another database";
  if (sqlstate == "42501") {
    return "grant what is missing; for replication: ALTER ROLE <role> REPLICATION";
  }
  if (sqlstate == "53300") {
    return "raise max_connections, or max_wal_senders for replication, or stop other clients";
  }
  if (sqlstate == "53400") return "raise max_replication_slots, or drop a slot that nobody uses";
  return "";
}

std::string endpoint_text(const pg_conn* connection) {
  const std::string_view host = or_empty(PQhost(connection));
  const std::string_view database = or_empty(PQdb(connection));
  return fmt::format("{}:{}/{}", host.empty() ? "localhost" : host, or_empty(PQport(connection)),
                     database.empty() ? or_empty(PQuser(connection)) : database);
}

Error server_error(std::string_view attempt, std::string_view endpoint, const pg_result* result) {
  const std::string_view sqlstate = or_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  std::string reason = one_line(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
  if (reason.empty()) reason = one_line(or_empty(PQresultErrorMessage(result)));
  const std::string detail = one_line(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL)));
  if (!detail.empty()) reason += "; " + detail;
  std::string text = fmt::format("{} on {}: {}", attempt, endpoint, reason);
  if (!sqlstate.empty()) text += fmt::format(" ({})", sqlstate);
  std::string hint(hint_for_sqlstate(sqlstate));
  if (hint.empty()) hint = one_line(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT)));
  return Error{code_for_sqlstate(sqlstate), std::move(text), std::move(hint)};
}

ServerMessage split_verbose_message(std::string_view text) {
  ServerMessage message;
  if (const auto location = text.find("\nLOCATION:"); location != text.npos) {
    text = text.substr(0, location);
  }
  // The severity is translated, so look for the code itself between two colons.
  for (auto at = text.find(":  "); at != text.npos; at = text.find(":  ", at + 1)) {
    const std::string_view code = text.substr(at + 3, 5);
    if (is_sqlstate(code) && text.substr(at + 8, 2) == ": ") {
      message.sqlstate = code;
      message.reason = one_line(text.substr(at + 10));
      return message;
    }
  }
  message.reason = client_reason(text);
  return message;
}

Error connection_error(std::string_view attempt, std::string_view endpoint,
                       const pg_conn* connection) {
  ServerMessage message = split_verbose_message(or_empty(PQerrorMessage(connection)));
  if (message.reason.empty()) message.reason = "the connection is lost";
  Code code = code_for_sqlstate(message.sqlstate);
  std::string hint(hint_for_sqlstate(message.sqlstate));
  if (PQconnectionNeedsPassword(connection) != 0) {
    code = Code::refused;
    hint = hint_for_sqlstate("28P01");
  }
  std::string text = fmt::format("{} on {}: {}", attempt, endpoint, message.reason);
  if (!message.sqlstate.empty()) text += fmt::format(" ({})", message.sqlstate);
  if (hint.empty() && code == Code::unreachable) {
    hint = "is PostgreSQL running there, and does it accept TCP connections?";
  }
  return Error{code, std::move(text), std::move(hint)};
}

}  // namespace rt
