const paths = {
  microphone: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11v1a7 7 0 0 0 14 0v-1M12 19v3",
  microphoneOff: "M9 5v7a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5-2.2M5 11v1a7 7 0 0 0 11 5.7M19 11v1a7 7 0 0 1-.4 2.4M12 19v3M3 3l18 18",
  camera: "M3 7h11a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H3zM16 11l5-3v8l-5-3z",
  cameraOff: "M7 7h7a2 2 0 0 1 2 2v4M16 17H3V7M16 11l5-3v8l-2-1.2M3 3l18 18",
  share: "M3 5h18v11H3zM9 20h6M12 12V8m0 0-2 2m2-2 2 2",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  speakerView: "M4 4h16v11H4zM4 18h4M10 18h4M16 18h4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.3M18 14.3a6.5 6.5 0 0 1 3.5 5.7",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M6 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  leave: "M3 13c5-5 13-5 18 0l-2 3-4-1.500v-2.500a12 12 0 0 0-6 0v2.500L5 16z",
  terminal: "M3 5h18v11H3zM8 20h8M12 16v4M12 8v.01M9 12.500a3 3 0 0 1 6 0",
  phone: "M6 3h4l2 5-2.500 1.500a11 11 0 0 0 5 5L16 12l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 4 5a2 2 0 0 1 2-2z",
  browser: "M3 5h18v14H3zM3 9h18M6 7v.01M9 7v.01",
  chat: "M4 5h16v11H11l-5 4v-4H4zM8 9h8M8 12h5",
  close: "M6 6l12 12M18 6 6 18",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, label }: { name: IconName; label?: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
      <path d={paths[name]} />
    </svg>
  );
}
