// Who asks, by the signed token of a request's one Authorization header. Thread-safe.
#pragma once

#include "auth/token_check.h"
#include "base/clock.h"
#include "base/result.h"
#include "proto/http1_request.h"

namespace rt::server {

// Code::refused with a text for the client.
Result<Principal> signed_principal(const http1::RequestHead& head, const TokenCheck& tokens,
                                   WallTime now, TokenCheck::Needs needs);

}  // namespace rt::server
