/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The credentials of a user. */
export type LoginInput = {
  /** The second factor, for a user who has one: a code of the authenticator app, or a recovery code. */
  code?: string | null | undefined;
  /** The device token of an earlier login of this user on this device. With it, wrong passwords from elsewhere do not lock the user out here. */
  deviceToken?: string | null | undefined;
  /** The password. */
  password: string;
  /** The role to act in, for a user who has several; by default the one with the most permissions. */
  role?: Role | null | undefined;
  /** One of `trainingProviders` of the payload, for a user with accounts at several training providers whose passwords are the same. */
  trainingProvider?: string | null | undefined;
  /** The username from the welcome e-mail, in upper or lower case. */
  username: string;
};

/** The role in which a user acts. A login can have several roles; an access token carries exactly one of them. */
export type Role =
  /** Teaches learners, maps evidence to criteria and signs criteria off, for the aims of their caseload. Guides also say training adviser. */
  | 'ASSESSOR'
  /** A member of the training provider's office. Sees all learners, enrols them, books sessions and allocates managers. */
  | 'BASIC_ADMIN'
  /** A learner's manager or mentor. Sees the learners allocated to them and no others of the same employer. */
  | 'EMPLOYER_MANAGER'
  /** An employer's training manager. Sees all learners of the sites allocated to them. */
  | 'EMPLOYER_OVERVIEW'
  /** Internal quality assurance: checks a sample of the assessors' decisions. Never the assessor of the same aim. */
  | 'IQA'
  /** An apprentice. Sees only their own portfolio. */
  | 'LEARNER'
  /** Manages the training provider's installation: everything that a Basic Admin does, and roles, sites and settings. */
  | 'MASTER_ADMIN';

/** Compares a learner's progress with the time that has passed. Amber means on track, and green means ahead. */
export type TrafficLight =
  /** Green: ahead of the expected progress by the tolerance or more. */
  | 'AHEAD'
  /** No light: not in training, no criteria, or too little time has passed. */
  | 'NOT_RATED'
  /** Red: behind the expected progress by the provider's tolerance or more. */
  | 'OFF_TRACK'
  /** Amber: closer to the expected progress than the tolerance. */
  | 'ON_TRACK';

/** The kind of an error, which decides what the user can do about it. */
export type UserErrorCode =
  /** Another user changed the record in the meantime, or the value is already in use. */
  | 'CONFLICT'
  /** The value is not valid. */
  | 'INVALID'
  /** The viewer may see the record but may not do this. */
  | 'NOT_ALLOWED'
  /** The record does not exist, or the viewer may not see it. */
  | 'NOT_FOUND'
  /** A value is missing. */
  | 'REQUIRED'
  /** There were too many attempts with a wrong password. Wait before the next one. */
  | 'TOO_MANY_ATTEMPTS'
  /** The password is wrong. */
  | 'WRONG_PASSWORD';

export type StarterLearnersQueryVariables = Exact<{
  after?: string | null | undefined;
}>;


export type StarterLearnersQuery = { learners: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, name: string, trafficLight: TrafficLight, employer: { name: string } | null, progress: { durationPercent: number, mappedPercent: number, signedOffPercent: number } }> } };

export type StarterSignInMutationVariables = Exact<{
  input: LoginInput;
}>;


export type StarterSignInMutation = { login: { accessToken: string | null, refreshToken: string | null, deviceToken: string | null, viewer: { mustChangePassword: boolean, mustAcceptDisclaimer: boolean, mustSetUpSecondFactor: boolean, user: { id: string, name: string } } | null, errors: Array<{ code: UserErrorCode, field: Array<string> | null, message: string }> } };

export type StarterRefreshMutationVariables = Exact<{
  refreshToken: string;
}>;


export type StarterRefreshMutation = { tokenRefresh: { accessToken: string | null, refreshToken: string | null, errors: Array<{ code: UserErrorCode, message: string }> } };

export type StarterSignOutMutationVariables = Exact<{
  refreshToken: string;
}>;


export type StarterSignOutMutation = { logout: { errors: Array<{ code: UserErrorCode }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const StarterLearnersDocument = new TypedDocumentString(`
    query StarterLearners($after: String) {
  learners(first: 20, after: $after, orderBy: POINTS_AHEAD_ASC) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      name
      trafficLight
      employer {
        name
      }
      progress {
        durationPercent
        mappedPercent
        signedOffPercent
      }
    }
  }
}
    `, {"hash":"sha256:3b2c4871848f32c6c56fa2e0d8353d1ff5ac98341a5cc5a290bb43d2094ce5fa"}) as unknown as TypedDocumentString<StarterLearnersQuery, StarterLearnersQueryVariables>;
export const StarterSignInDocument = new TypedDocumentString(`
    mutation StarterSignIn($input: LoginInput!) {
  login(input: $input) {
    accessToken
    refreshToken
    deviceToken
    viewer {
      mustChangePassword
      mustAcceptDisclaimer
      mustSetUpSecondFactor
      user {
        id
        name
      }
    }
    errors {
      code
      field
      message
    }
  }
}
    `, {"hash":"sha256:af6851c3c60e30e65f52bac6d08fa184c7b43bb3b5d2e1bd3bbd542aece934d5"}) as unknown as TypedDocumentString<StarterSignInMutation, StarterSignInMutationVariables>;
export const StarterRefreshDocument = new TypedDocumentString(`
    mutation StarterRefresh($refreshToken: String!) {
  tokenRefresh(refreshToken: $refreshToken) {
    accessToken
    refreshToken
    errors {
      code
      message
    }
  }
}
    `, {"hash":"sha256:60930854cc6bd5077677509b822dff56faf1fb38d62f8444e72692b1089ee174"}) as unknown as TypedDocumentString<StarterRefreshMutation, StarterRefreshMutationVariables>;
export const StarterSignOutDocument = new TypedDocumentString(`
    mutation StarterSignOut($refreshToken: String!) {
  logout(refreshToken: $refreshToken) {
    errors {
      code
    }
  }
}
    `, {"hash":"sha256:a58bcf34b46f6aab7ca892de60e2eb8b61ccf62d4527153144be47e90b834a5c"}) as unknown as TypedDocumentString<StarterSignOutMutation, StarterSignOutMutationVariables>;