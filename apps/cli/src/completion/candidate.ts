/** What a word may become, with a few words about it. */
export interface Candidate {
  value: string;
  about?: string;
}
