/** Version of this release: of api, worker and command line alike. */
export const version = '0.1.0';
