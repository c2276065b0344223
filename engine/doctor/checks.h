// Small makers of Checks, and the judgement of a connection from the steps that it told.
//
// Pure: no connection is made here. What is told of a route is a list of steps in the order of going; the first that is
// missing is the one that failed, and everything behind it is skipped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "otto/doctor.h"
#include "transport/address.h"
#include "transport/connect.h"

namespace otto::doctor {

Check ok(std::string_view step, std::string detail);
Check warning(std::string_view step, std::string detail, std::string hint);
/// Message, context and hint of the error.
Check failed(std::string_view step, const Error& error);
Check skipped(std::string_view step);

/// The checks of the way to `host_id`: route, and for each host of it connect, host-key and log-in. `failure`: what
/// ended the connecting, if anything did.
std::vector<Check> connection_checks(const std::string& host_id, transport::Protocol protocol,
                                     const std::vector<transport::ConnectStep>& steps,
                                     const std::optional<Error>& failure);

}  // namespace otto::doctor
