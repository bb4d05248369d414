/** Sent by the page with everything that writes: another site's form can't send it, and its script may not. */
export const pageHeader = 'x-mycloud-page';
