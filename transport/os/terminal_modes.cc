// One table, read in both directions. Opcodes of 160 and above end the list, as does 0.
//
// Only modes that people set: libssh2 takes 256 bytes for modes and TERM together.
#include "transport/os/terminal_modes.h"

#include <termios.h>

#include <cstdint>

namespace otto::transport {
namespace {

constexpr std::uint8_t kEnd = 0, kFirstUndefined = 160;
constexpr std::size_t kValueSize = 4;
constexpr std::uint32_t kNoCharacter = 255;

struct Character {
  std::uint8_t opcode;
  int index;
};
constexpr Character kCharacters[] = {{1, VINTR},     {2, VQUIT},    {3, VERASE},  {4, VKILL},    {5, VEOF},
                                     {6, VEOL},      {7, VEOL2},    {8, VSTART},  {9, VSTOP},    {10, VSUSP},
                                     {12, VREPRINT}, {13, VWERASE}, {14, VLNEXT}, {18, VDISCARD}};

struct Flag {
  std::uint8_t opcode;
  tcflag_t termios::*field;
  tcflag_t mask;
};
constexpr Flag kFlags[] = {
    {34, &termios::c_iflag, INLCR},   {35, &termios::c_iflag, IGNCR},   {36, &termios::c_iflag, ICRNL},
    {38, &termios::c_iflag, IXON},    {39, &termios::c_iflag, IXANY},   {40, &termios::c_iflag, IXOFF},
    {41, &termios::c_iflag, IMAXBEL}, {42, &termios::c_iflag, IUTF8},   {50, &termios::c_lflag, ISIG},
    {51, &termios::c_lflag, ICANON},  {53, &termios::c_lflag, ECHO},    {54, &termios::c_lflag, ECHOE},
    {55, &termios::c_lflag, ECHOK},   {57, &termios::c_lflag, NOFLSH},  {58, &termios::c_lflag, TOSTOP},
    {59, &termios::c_lflag, IEXTEN},  {60, &termios::c_lflag, ECHOCTL}, {61, &termios::c_lflag, ECHOKE},
    {70, &termios::c_oflag, OPOST},   {72, &termios::c_oflag, ONLCR}};

void append(std::string& modes, std::uint8_t opcode, std::uint32_t value) {
  modes += static_cast<char>(opcode);
  for (int shift = 24; shift >= 0; shift -= 8) modes += static_cast<char>((value >> shift) & 0xffU);
}

std::uint32_t value_at(std::string_view modes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kValueSize; ++i) value = value << 8 | static_cast<unsigned char>(modes[at + i]);
  return value;
}

void apply_mode(std::uint8_t opcode, std::uint32_t value, termios& settings) {
  for (const Character& character : kCharacters) {
    if (character.opcode != opcode) continue;
    settings.c_cc[character.index] = static_cast<cc_t>(value == kNoCharacter ? _POSIX_VDISABLE : value);
  }
  for (const Flag& flag : kFlags) {
    if (flag.opcode != opcode) continue;
    tcflag_t& field = settings.*flag.field;
    field = value != 0 ? field | flag.mask : field & ~flag.mask;
  }
}

}  // namespace

std::string encode_modes(const termios& settings) {
  std::string modes;
  for (const Character& character : kCharacters) {
    const cc_t set = settings.c_cc[character.index];
    append(modes, character.opcode, set == _POSIX_VDISABLE ? kNoCharacter : set);
  }
  for (const Flag& flag : kFlags) {
    append(modes, flag.opcode, (settings.*flag.field & flag.mask) != 0 ? 1 : 0);
  }
  modes += static_cast<char>(kEnd);
  return modes;
}

void apply_modes(std::string_view modes, termios& settings) {
  for (std::size_t at = 0; at + kValueSize < modes.size(); at += 1 + kValueSize) {
    const auto opcode = static_cast<std::uint8_t>(modes[at]);
    if (opcode == kEnd || opcode >= kFirstUndefined) return;
    apply_mode(opcode, value_at(modes, at + 1), settings);
  }
}

std::string requested_modes(const PtyRequest& request) {
  if (!request.raw) return request.modes;
  std::string modes;
  for (const Flag& flag : kFlags) {
    const bool off = (flag.field == &termios::c_lflag && (flag.mask & (ECHO | ICANON | ISIG | IEXTEN)) != 0) ||
                     (flag.field == &termios::c_iflag && (flag.mask & (ICRNL | INLCR | IGNCR | IXON)) != 0) ||
                     (flag.field == &termios::c_oflag && flag.mask == OPOST);
    if (off) append(modes, flag.opcode, 0);
  }
  modes += static_cast<char>(kEnd);
  return modes;
}

}  // namespace otto::transport
