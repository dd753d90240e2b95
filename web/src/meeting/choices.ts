/** What a visitor chose before joining; kept for the next time. */
export interface Choices {
  name: string;
  microphone: boolean;
  camera: boolean;
  microphoneId: string;
  cameraId: string;
  /** originalSound sends what the microphone hears, unprocessed. */
  originalSound: boolean;
}

const key = "roomgate.choices";

const defaults: Choices = { name: "", microphone: true, camera: true, microphoneId: "", cameraId: "", originalSound: false };

export function recall(): Choices {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Choices>) };
  } catch {
    return defaults;
  }
}

export function remember(choices: Choices) {
  localStorage.setItem(key, JSON.stringify(choices));
}
