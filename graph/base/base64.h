// Base64 (RFC 4648, section 4), as keys and secrets are written in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto {

/// With its padding.
std::string base64_encode(std::string_view bytes);
/// Line ends and padding are passed over; nullopt: another character that is no digit.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace otto
