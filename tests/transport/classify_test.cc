// Which code, message and hint each cause gets.
#include "transport/classify.h"

#include <gtest/gtest.h>
#include <netdb.h>

#include <cerrno>

namespace otto::transport {
namespace {

TEST(Classify, ConnectErrors) {
  const std::string who = "'leek' (10.0.0.7:22)";
  EXPECT_EQ(classify_connect(who, ECONNREFUSED).code, ErrorCode::kUnreachable);
  EXPECT_EQ(classify_connect(who, ECONNREFUSED).message, who + ": connection refused");
  EXPECT_EQ(classify_connect(who, EHOSTUNREACH).message, who + ": no route to host");
  EXPECT_NE(classify_connect(who, ENETUNREACH).hint.find("hop"), std::string::npos);
  EXPECT_EQ(classify_connect(who, ETIMEDOUT).code, ErrorCode::kTimedOut);
  EXPECT_EQ(classify_connect(who, EACCES).code, ErrorCode::kUnreachable);
  for (const int number : {ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, EACCES}) {
    const Error error = classify_connect(who, number);
    EXPECT_NE(error.hint, "");
    EXPECT_TRUE(error.message.starts_with(who));
    EXPECT_FALSE(error.message.ends_with("."));
  }
}

TEST(Classify, Names) {
  const Error error = classify_lookup("'leek' (leek.lab:22)", "leek.lab", EAI_NONAME);
  EXPECT_EQ(error.code, ErrorCode::kUnreachable);
  EXPECT_NE(error.message.find("cannot resolve 'leek.lab'"), std::string::npos);
}

TEST(Classify, HandshakeErrorsByTheirMeaning) {
  constexpr int kKexFailure = -5;         // LIBSSH2_ERROR_KEX_FAILURE
  constexpr int kSocketDisconnect = -13;  // LIBSSH2_ERROR_SOCKET_DISCONNECT
  EXPECT_EQ(classify_handshake("h", kKexFailure, "m", "").code, ErrorCode::kUnreachable);
  const Error cut = classify_handshake("h", kSocketDisconnect, "m", "connection reset by peer");
  EXPECT_EQ(cut.code, ErrorCode::kUnreachable);
  EXPECT_NE(cut.message.find("connection reset by peer"), std::string::npos);
}

TEST(Classify, TunnelErrorsNameTheHop) {
  const Error refused =
      classify_tunnel("'t' (h:22)", "leek_gate", make_error(ErrorCode::kUnreachable, "Connect Failed"));
  EXPECT_EQ(refused.message, "'t' (h:22): cannot be reached from hop 'leek_gate': connect failed");
  EXPECT_EQ(classify_tunnel("t", "g", make_error(ErrorCode::kTimedOut, "x")).code, ErrorCode::kTimedOut);
  EXPECT_EQ(classify_tunnel("t", "g", make_error(ErrorCode::kConnectionLost, "x")).message, "x");
}

}  // namespace
}  // namespace otto::transport
