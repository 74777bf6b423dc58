#include "auth/token_check.h"

#include <fmt/format.h>
#include <jwt.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace rt {
namespace {

using nlohmann::json;
using Jwt = std::unique_ptr<jwt_t, void (*)(jwt_t*)>;
using Text = std::unique_ptr<char, void (*)(void*)>;  // libjwt's, from malloc

tl::unexpected<Error> refused(std::string_view text) {
  return fail(Code::refused, std::string(text));
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Three parts in base64url, none empty but perhaps the signature: libjwt is laxer.
bool has_form_of_token(std::string_view token) {
  const auto parts = split(token, '.');
  if (parts.size() != 3 || parts[0].empty() || parts[1].empty()) return false;
  return std::all_of(token.begin(), token.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

// Without a key, libjwt reads a token and checks no signature.
Jwt decode(const std::string& token, std::string_view key) {
  jwt_t* raw = nullptr;
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  const int failed =
      jwt_decode(&raw, token.c_str(), key.empty() ? nullptr : bytes, static_cast<int>(key.size()));
  ERR_clear_error();  // what OpenSSL says of a wrong signature must not meet the next caller
  if (failed != 0) {
    jwt_free(raw);
    raw = nullptr;
  }
  return Jwt(raw, &jwt_free);
}

// The header must name the key's algorithm, in its one spelling, and ask for nothing that we do not
// know (RFC 7515 section 4.1.11).
Result<void> check_header(jwt_t& token, const TokenKey& key) {
  const char* algorithm = jwt_get_header(&token, "alg");
  if (algorithm == nullptr || key.algorithm_name() != algorithm) {
    return refused(fmt::format("the token is not signed with {}", key.algorithm_name()));
  }
  const Text critical(jwt_get_headers_json(&token, "crit"), &std::free);
  if (critical != nullptr) return refused("the token has a critical header that is not known here");
  return {};
}

// Seconds since 1970, perhaps with a fraction (RFC 7519 section 2, NumericDate).
Result<std::optional<double>> date_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number()) {
    return refused(fmt::format("the token's claim \"{}\" is no number", name));
  }
  return found->get<double>();
}

double seconds_of(WallTime time) {
  return static_cast<double>(unix_us(time)) / 1e6;
}

// As far as WallTime reaches when it is asked for later.
WallTime time_of(double seconds) {
  constexpr double kLatest = 9e12;  // in the year 287,000
  return from_unix_us(static_cast<std::int64_t>(std::clamp(seconds, 0.0, kLatest) * 1e6));
}

Result<WallTime> check_dates(const json& claims, WallTime now) {
  const double at = seconds_of(now);
  const double skewed = seconds_of(
      now + std::chrono::duration_cast<std::chrono::microseconds>(TokenCheck::kClockSkew));
  const auto expires = RT_TRY(date_claim(claims, "exp"));
  if (!expires) return refused("the token has no claim \"exp\"");
  if (at >= *expires) return refused("the token has expired");
  const auto not_before = RT_TRY(date_claim(claims, "nbf"));
  if (not_before && *not_before > skewed) return refused("the token is not valid yet");
  const auto issued = RT_TRY(date_claim(claims, "iat"));
  if (issued && *issued > skewed) return refused("the token was issued in the future");
  return time_of(*expires);
}

// The text of a claim; empty if there is none.
Result<std::string> text_claim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::string();
  if (!found->is_string()) return refused(fmt::format("the token's claim \"{}\" is no text", name));
  const auto& text = found->get_ref<const std::string&>();
  if (text.empty()) return refused(fmt::format("the token's claim \"{}\" is empty", name));
  if (text.size() > TokenCheck::kClaimBytesMax) {
    return refused(fmt::format("the token's claim \"{}\" is too long", name));
  }
  return text;
}

Result<std::string> user_claim(const json& claims) {
  auto user = RT_TRY(text_claim(claims, "sub"));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(user.begin(), user.end(), is_control)) {
    return refused("the token's claim \"sub\" has a control character");
  }
  return user;
}

Result<std::string> scope_claim(const json& claims) {
  auto scope = RT_TRY(text_claim(claims, "scope"));
  if (!scope.empty() && !is_scope(scope)) {
    return refused("the token's claim \"scope\" is no word of letters, digits, _ and -");
  }
  return scope;
}

Result<std::optional<std::int64_t>> scope_id_claim(const json& claims) {
  const auto found = claims.find("scope_id");
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number_integer()) return refused("the token's claim \"scope_id\" is no integer");
  const auto id = found->get<std::int64_t>();  // libjwt has refused what does not fit
  if (id < 0) return refused("the token's claim \"scope_id\" is negative");
  return id;
}

Result<Principal> read_claims(const json& claims, WallTime now, TokenCheck::Needs needs) {
  Principal principal;
  principal.expires_at = RT_TRY(check_dates(claims, now));
  principal.scope = RT_TRY(scope_claim(claims));
  principal.scope_id = RT_TRY(scope_id_claim(claims));
  principal.user = RT_TRY(user_claim(claims));
  if (needs == TokenCheck::Needs::scope) {
    if (principal.scope.empty()) return refused("the token has no claim \"scope\"");
    if (!principal.scope_id) return refused("the token has no claim \"scope_id\"");
  } else if (principal.user.empty()) {
    return refused("the token has no claim \"sub\"");
  }
  return principal;
}

}  // namespace

Result<Principal> TokenCheck::check(std::string_view token, WallTime now, Needs needs) const {
  if (token.size() > kTokenBytesMax) return refused("the token is too long");
  if (!has_form_of_token(token)) return refused("the token is malformed");
  const std::string text(token);
  // First the algorithm, with libjwt's own reading of the header, so that the key is never tried
  // with another one.
  const Jwt unchecked = decode(text, {});
  if (unchecked == nullptr) return refused("the token is malformed");
  RT_CHECKED(check_header(*unchecked, key_));
  const Jwt checked = decode(text, key_.bytes);
  if (checked == nullptr) return refused("the token's signature is wrong");
  const char* algorithm = jwt_alg_str(jwt_get_alg(checked.get()));
  if (algorithm == nullptr || key_.algorithm_name() != algorithm) {
    return refused("the token's signature is wrong");
  }
  const Text claims(jwt_get_grants_json(checked.get(), nullptr), &std::free);
  if (claims == nullptr) return refused("the token is malformed");
  const json object = json::parse(claims.get(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return refused("the token is malformed");
  return read_claims(object, now, needs);
}

bool is_scope(std::string_view text) {
  return !text.empty() && text.size() <= TokenCheck::kClaimBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const std::string_view token = trim(authorization.substr(kScheme.size()));
  if (token.empty()) return std::nullopt;
  return token;
}

}  // namespace rt
