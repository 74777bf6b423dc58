#include "server/signed_principal.h"

namespace rt::server {

Result<Principal> signed_principal(const http1::RequestHead& head, const TokenCheck& tokens,
                                   WallTime now, TokenCheck::Needs needs) {
  const std::size_t count = head.headers.count("Authorization");
  if (count == 0) return fail(Code::refused, "a token is needed: Authorization: Bearer ...");
  if (count > 1) return fail(Code::refused, "there is more than one Authorization header");
  const auto token = bearer_token(head.header("Authorization"));
  if (!token) return fail(Code::refused, "the Authorization header holds no bearer token");
  return tokens.check(*token, now, needs);
}

}  // namespace rt::server
