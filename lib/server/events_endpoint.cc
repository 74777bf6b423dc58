#include "server/events_endpoint.h"

#include <fmt/format.h>

#include <limits>

#include "base/text.h"
#include "server/events_wire.h"
#include "server/refusals.h"
#include "server/signed_principal.h"

namespace rt::server {
namespace {

constexpr const char* kStreamHeaders =
    "Content-Type: text/event-stream; charset=utf-8\r\n"
    "Cache-Control: no-cache, no-transform\r\n"
    "Connection: keep-alive\r\n"
    "X-Accel-Buffering: no\r\n"
    "Vary: Authorization\r\n";

// An event is a hint to look, not a document.
constexpr std::size_t kPublishBytesMax = 256 << 10;

tl::unexpected<Error> unknown(std::string text) {
  return fail(Code::refused, std::move(text));
}

Answer unauthorized(const std::string& reason) {
  Answer answer;
  answer.status = 401;
  answer.body = fmt::format("failed to resolve principal: {}\n", reason);
  answer.headers = kBearerChallenge;
  return answer;
}

Answer refused(int status, std::string text, std::string headers = {}) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(text);
  answer.headers = std::move(headers);
  return answer;
}

std::string scope_text(std::string_view scope, std::int64_t id) {
  return fmt::format("{}:{}", scope, id);
}

// The scope of the query, if it names one; nothing if it has neither parameter.
Result<std::optional<std::string>> query_scope(const http1::RequestHead& head) {
  const auto scope = head.parameter("scope");
  const auto id = head.parameter("scope_id");
  if (!scope && !id) return std::nullopt;
  if (!scope || !is_scope(*scope)) return unknown("scope must be a word of letters, digits, _, -");
  const auto number = id ? parse_decimal(*id) : std::nullopt;
  if (!number || *number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return unknown("scope_id must be a whole number");
  }
  return scope_text(*scope, static_cast<std::int64_t>(*number));
}

}  // namespace

EventsEndpoint::EventsEndpoint(Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  rules_.keepalive_every = options_.heartbeat_every;
  rules_.keepalive = [](WallTime) { return std::string(kEventsHeartbeat); };
  rules_.goodbye = kEventsGoodbye;
  rules_.goodbye_sets_pause = false;  // eventrail's clients keep their own
  rules_.when_slow = options_.when_slow;
}

Outcome EventsEndpoint::on_request(const http1::RequestHead& head) const {
  if (head.path != "/events") return NotMine{};
  if (head.method == "OPTIONS") return refused(204, {}, "Allow: GET, POST, OPTIONS\r\n");
  if (head.method != "GET" && head.method != "POST") {
    return refused(405, "Method not allowed\n", "Allow: GET, POST, OPTIONS\r\n");
  }
  auto caller = caller_of(head);
  if (!caller) return unauthorized(caller.error().text);
  std::string& scope = caller->scope;
  if (head.method == "POST") return BodyWanted{scope, kPublishBytesMax, scope};
  if (head.has_body()) return refused(400, "a stream request has no body\n");
  Opening opening;
  opening.headers = kStreamHeaders;
  opening.preamble = kEventsPreamble;
  opening.target = hash_name(Role::scope, scope);
  opening.keys = {opening.target.low};
  opening.ends_at = caller->until;
  opening.principal = scope;
  opening.name = std::move(scope);
  return opening;
}

Outcome EventsEndpoint::on_body(const std::string& name, std::string body) const {
  EventPublish publish = parse_event_publish(body, name);
  if (publish.status != 202) return refused(publish.status, std::move(publish.refusal));
  return Question{0, std::move(publish.channel), std::move(publish.envelope)};
}

Result<EventsEndpoint::Caller> EventsEndpoint::caller_of(const http1::RequestHead& head) const {
  if (options_.tokens) return caller_of_token(head);
  return Caller{RT_TRY(scope_of_query(head)), std::nullopt};
}

Result<EventsEndpoint::Caller> EventsEndpoint::caller_of_token(
    const http1::RequestHead& head) const {
  const Principal principal =
      RT_TRY(signed_principal(head, *options_.tokens, clock_.wall(), TokenCheck::Needs::scope));
  std::string scope = scope_text(principal.scope, *principal.scope_id);
  // The query never decides. Where it asks for something else, the answer is no, not something
  // else.
  const auto asked = RT_TRY(query_scope(head));
  if (asked && *asked != scope) return unknown(fmt::format("the token is not for {}", *asked));
  return Caller{std::move(scope), principal.expires_at};
}

Result<std::string> EventsEndpoint::scope_of_query(const http1::RequestHead& head) const {
  if (!options_.loopback_only) {
    return unknown("the server has no key (--jwt-key-file) and does not listen on loopback alone");
  }
  auto scope = RT_TRY(query_scope(head));
  if (scope) return std::move(*scope);
  // Who may name any scope need not name the one that the channel names anyway.
  if (head.method == "POST") return std::string();
  return unknown("the scope is missing: ?scope=gym&scope_id=1");
}

}  // namespace rt::server
