// What a private key file is, before libssh2 is asked to use it.
//
// Only what decides whom to ask: is it there, is it a key, may others read it, does it need a passphrase, and its
// public half from the .pub beside it. Reads files, keeps no secret. No libssh2 here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto::transport {

enum class KeyFileState {
  kUsable,
  kMissing,
  kNotAKey,     ///< no private key format that is known
  kUnreadable,  ///< exists, but may not be read
  kTooOpen,     ///< readable by others; ssh refuses those too
};

struct KeyFile {
  KeyFileState state = KeyFileState::kMissing;
  bool encrypted = false;
  std::optional<std::string> public_path;  ///< the .pub beside it
  std::optional<std::string> public_blob;  ///< decoded from it: as an agent lists it
};

KeyFile inspect_key_file(const std::string& path);

}  // namespace otto::transport
