import { signal } from "@preact/signals";

// Every text of the pages, in the two languages. The keys are what the text is
// for; a missing key does not compile.
const vi = {
  tagline: "Phòng họp, điện thoại và trình duyệt trong cùng một cuộc họp",
  meetingName: "Mã cuộc họp",
  open: "Vào cuộc họp",
  howToDial: "Gọi từ thiết bị phòng họp hoặc điện thoại",
  dialHint: "Quay số từ thiết bị:",
  yourName: "Tên của bạn",
  namePlaceholder: "Tên và đơn vị",
  pin: "Mã PIN",
  wrongPin: "Mã PIN không đúng. Vui lòng nhập lại.",
  join: "Tham gia",
  joining: "Đang kết nối…",
  microphone: "Micrô",
  camera: "Máy ảnh",
  speaker: "Loa",
  noDevice: "Không tìm thấy thiết bị",
  deviceRefused: "Trình duyệt không cho phép dùng micrô hoặc máy ảnh. Bạn vẫn có thể tham gia để nghe và xem.",
  originalSound: "Âm thanh gốc (nhạc cụ; không lọc ồn, không khử vọng)",
  insecure: "Trình duyệt chỉ cho dùng micrô và máy ảnh trên kết nối HTTPS. Hãy mở trang này bằng https://",
  mute: "Tắt tiếng",
  unmute: "Bật tiếng",
  stopCamera: "Tắt hình",
  startCamera: "Bật hình",
  share: "Chia sẻ màn hình",
  stopShare: "Dừng chia sẻ",
  grid: "Dạng lưới",
  speakerView: "Người nói",
  roster: "Thành viên",
  settings: "Thiết bị",
  leave: "Rời họp",
  close: "Đóng",
  you: "bạn",
  terminal: "Thiết bị phòng họp",
  phone: "Điện thoại",
  browser: "Trình duyệt",
  muted: "Đang tắt tiếng",
  presenting: "đang trình bày",
  cameraLeft: "Quay máy ảnh sang trái",
  cameraRight: "Quay máy ảnh sang phải",
  cameraUp: "Quay máy ảnh lên",
  cameraDown: "Quay máy ảnh xuống",
  cameraIn: "Phóng to",
  cameraOut: "Thu nhỏ",
  shareTaken: "Phần chia sẻ của bạn đã dừng: người khác trình bày, hoặc bạn không được phép",
  reconnecting: "Mất kết nối, đang kết nối lại…",
  left: "Bạn đã rời cuộc họp",
  removed: "Bạn đã bị mời ra khỏi cuộc họp",
  ended: "Cuộc họp đã kết thúc",
  lost: "Mất kết nối với cuộc họp",
  again: "Tham gia lại",
  noMeeting: "Không có cuộc họp này",
  failed: "Không vào được cuộc họp",
  alone: "Chưa có ai khác trong cuộc họp",
  encrypted: "Bảo mật",
  locked: "Phòng họp đã khóa",
  denied: "Chủ tọa không cho vào cuộc họp",
  waitHost: "Cuộc họp bắt đầu khi chủ tọa vào. Nếu bạn là chủ tọa, hãy nhập mã PIN.",
  waitAdmit: "Đang chờ chủ tọa cho vào. Nếu bạn là chủ tọa, hãy nhập mã PIN.",
  waitTime: "Cuộc họp chưa đến giờ. Trang này sẽ tự vào họp khi đến giờ.",
  over: "Cuộc họp đã kết thúc",
  waits: "đang chờ",
  admit: "Cho vào",
  deny: "Từ chối",
  lockMeeting: "Khóa phòng",
  unlockMeeting: "Mở khóa",
};

const en: typeof vi = {
  tagline: "Room terminals, phones and browsers in one meeting",
  meetingName: "Meeting",
  open: "Open meeting",
  howToDial: "Dial in from a room terminal or a phone",
  dialHint: "Dial from your terminal:",
  yourName: "Your name",
  namePlaceholder: "Name and organisation",
  pin: "PIN",
  wrongPin: "That PIN is not right. Please try again.",
  join: "Join",
  joining: "Connecting…",
  microphone: "Microphone",
  camera: "Camera",
  speaker: "Speaker",
  noDevice: "No device found",
  deviceRefused: "The browser does not allow microphone or camera. You can still join to watch and listen.",
  originalSound: "Original sound (music; no noise suppression or echo cancelling)",
  insecure: "Browsers give microphone and camera to HTTPS pages only. Open this page with https://",
  mute: "Mute",
  unmute: "Unmute",
  stopCamera: "Stop camera",
  startCamera: "Start camera",
  share: "Share screen",
  stopShare: "Stop sharing",
  grid: "Grid",
  speakerView: "Speaker",
  roster: "Participants",
  settings: "Devices",
  leave: "Leave",
  close: "Close",
  you: "you",
  terminal: "Room terminal",
  phone: "Phone",
  browser: "Browser",
  muted: "Muted",
  presenting: "presenting",
  cameraLeft: "Turn the camera left",
  cameraRight: "Turn the camera right",
  cameraUp: "Tilt the camera up",
  cameraDown: "Tilt the camera down",
  cameraIn: "Zoom in",
  cameraOut: "Zoom out",
  shareTaken: "Your share was stopped: somebody else presents, or you may not",
  reconnecting: "Connection lost, reconnecting…",
  left: "You left the meeting",
  removed: "You were removed from the meeting",
  ended: "The meeting has ended",
  lost: "The connection to the meeting was lost",
  again: "Join again",
  noMeeting: "There is no such meeting",
  failed: "The meeting cannot be joined",
  alone: "Nobody else is here yet",
  encrypted: "Encrypted",
  locked: "The meeting is locked",
  denied: "The host has not let you in",
  waitHost: "The meeting begins when its host is there. If you are the host, enter your PIN.",
  waitAdmit: "Waiting for the host to let you in. If you are the host, enter your PIN.",
  waitTime: "It is not yet time for the meeting. This page joins when it is.",
  over: "The meeting is over",
  waits: "waiting",
  admit: "Admit",
  deny: "Deny",
  lockMeeting: "Lock",
  unlockMeeting: "Unlock",
};

export type Language = "vi" | "en";
export type TextKey = keyof typeof vi;

export const languages: Record<Language, string> = { vi: "Tiếng Việt", en: "English" };

const texts: Record<Language, typeof vi> = { vi, en };

function initial(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "vi" || kept === "en") return kept;
  return navigator.language.startsWith("en") ? "en" : "vi";
}

export const language = signal<Language>(initial());

export function speak(to: Language) {
  language.value = to;
  localStorage.setItem("language", to);
  document.documentElement.lang = to;
}

/** t is the text for key in the language in use; components that call it are drawn again on a change. */
export function t(key: TextKey): string {
  return texts[language.value][key];
}
